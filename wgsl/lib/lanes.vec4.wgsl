// Rows in vec4s, where heads (or their halves) begin at multiples of four columns.
alias L = vec4<f32>;
