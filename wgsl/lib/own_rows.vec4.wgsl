// Four rows of an invocation, four columns of each, by columns; for rows in vec4s.
alias Own = mat4x4<f32>;

const WIDTH = 4u;

fn own_of(a: L, b: L, c: L, d: L) -> Own {
  return transpose(Own(a, b, c, d));
}

// The rows one by one.
fn rows_of(own: Own) -> array<L, 4> {
  let rows = transpose(own);
  return array<L, 4>(rows[0], rows[1], rows[2], rows[3]);
}

// Each row by its own factor.
fn scale_rows(own: Own, by: R) -> Own {
  return Own(own[0] * by, own[1] * by, own[2] * by, own[3] * by);
}

fn divide_rows(own: Own, by: R) -> Own {
  return Own(own[0] / by, own[1] / by, own[2] / by, own[3] / by);
}

// `b` for the rows that `which` says, `a` for the others.
fn select_rows(a: Own, b: Own, which: vec4<bool>) -> Own {
  return Own(select(a[0], b[0], which), select(a[1], b[1], which), select(a[2], b[2], which), select(a[3], b[3], which));
}

fn four(v: L) -> vec4<f32> {
  return v;
}

// Each row's sum and its products with `b`, columns ascending.
fn add_products(sum: R, own: Own, b: vec4<f32>) -> R {
  return fma(own[3], R(b.w), fma(own[2], R(b.z), fma(own[1], R(b.y), fma(own[0], R(b.x), sum))));
}

// Each row and `v` by the row's weight.
fn add_weighted(own: Own, weight: R, v: vec4<f32>) -> Own {
  return Own(fma(weight, R(v.x), own[0]), fma(weight, R(v.y), own[1]), fma(weight, R(v.z), own[2]), fma(weight, R(v.w), own[3]));
}

fn finite_columns(v: L) -> vec4<bool> {
  return (bitcast<vec4<u32>>(v) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
}
