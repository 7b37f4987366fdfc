// Results in registers: 4 rows of one vec4 of columns, and products added to them. For one k, an invocation reads one vec4
// of each factor and does 16 multiply-adds; each result is one chain of fma, k ascending.
alias Sums = array<vec4<f32>, 4>;

// a: 4 rows at one k. b: 4 columns at that k.
fn add_k(sums: Sums, a: vec4<f32>, b: vec4<f32>) -> Sums {
  return Sums(fma(vec4<f32>(a.x), b, sums[0]), fma(vec4<f32>(a.y), b, sums[1]), fma(vec4<f32>(a.z), b, sums[2]), fma(vec4<f32>(a.w), b, sums[3]));
}
