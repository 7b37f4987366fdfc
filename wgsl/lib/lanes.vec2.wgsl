// Rows in pairs of columns: heads of any even size begin at one.
alias L = vec2<f32>;
