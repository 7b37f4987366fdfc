// The input's gradient of RMSNorm (CENTERED 0) and LayerNorm (CENTERED 1), as norm_input_gradient.wgsl says, by one
// invocation per row (lib/row_single); the weight is shared by the subgroup (lib/row_share).
//
// Shapes: dy, x, dx [rows, stride4 vec4s]; weight [4 stride4]. Accumulation: f32, one walk for all sums: columns c,
// c + 4, ... apart, by chunks of 16 columns, ascending. For LayerNorm the sums are those of deviations from the means so
// far, merged chunk by chunk; the sum of g n is the co-deviation of g and x, times scale. Padding columns of a new dx are
// written as zeros.
// Source: as norm_input_gradient.wgsl; Chan, Golub & LeVeque 1979 (see layer_norm_single) for merging.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  eps: f32,
  accumulate: u32,
}
@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;
//#include row_single
//#include row_share

override CENTERED: u32 = 0;

// Sums over a row so far, columns c, c + 4, ... side by side for c = 0 .. 3. RMSNorm: the means stay 0.
struct Sums {
  mean: vec4<f32>,
  mean_g: vec4<f32>,
  // Of squared deviations of x, and of deviations of x times those of g.
  squares: vec4<f32>,
  products: vec4<f32>,
}

// The weights of 16 columns from vec4 `c` on; past the end, any.
fn weights(c: u32, member: u32) -> array<vec4<f32>, 4> {
  let last = 4u * params.stride4 - 1u;
  return share16(weight[min(4u * c + member % 8u, last)], weight[min(4u * c + 8u + member % 8u, last)]);
}

fn centre(mean: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(0.0), mean, CENTERED == 1u);
}

fn mean_of(v: array<vec4<f32>, 4>) -> vec4<f32> {
  return centre(((v[0] + v[1]) + (v[2] + v[3])) * 0.25);
}

// Adds four values of x and of g to the `before` that there are.
fn add_chunk(s: Sums, before: f32, v: array<vec4<f32>, 4>, g: array<vec4<f32>, 4>) -> Sums {
  let own = mean_of(v);
  let own_g = mean_of(g);
  var squares = s.squares;
  var products = s.products;
  let d0 = v[0] - own;
  let d1 = v[1] - own;
  let d2 = v[2] - own;
  let d3 = v[3] - own;
  squares += fma(d0, d0, d1 * d1) + fma(d2, d2, d3 * d3);
  products += fma(d0, g[0] - own_g, d1 * (g[1] - own_g)) + fma(d2, g[2] - own_g, d3 * (g[3] - own_g));
  let share = 4.0 / (before + 4.0);
  let apart = own - s.mean;
  let apart_g = own_g - s.mean_g;
  let both = vec4<f32>(before * share);
  return Sums(
    fma(apart, vec4<f32>(share), s.mean),
    fma(apart_g, vec4<f32>(share), s.mean_g),
    fma(apart * apart, both, squares),
    fma(apart * apart_g, both, products),
  );
}

// Adds one value of each column that is no padding.
fn add_vec4(s: Sums, c: u32, v: vec4<f32>, g: vec4<f32>) -> Sums {
  let share = vec4<f32>(1.0 / f32(c + 1u));
  let apart = v - s.mean;
  let mean = fma(centre(apart), share, s.mean);
  let mean_g = fma(centre(g - s.mean_g), share, s.mean_g);
  let seen = inside(c);
  return Sums(
    select(s.mean, mean, seen),
    select(s.mean_g, mean_g, seen),
    select(s.squares, fma(apart, v - mean, s.squares), seen),
    select(s.products, fma(apart, g - mean_g, s.products), seen),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let row = row_of(workgroup_index(workgroup, grid) * WG + lane);
  let whole = 4u * whole_chunks();
  var s = Sums();
  for (var c = 0u; c < whole; c += 4u) {
    let w = weights(c, member);
    let at = row.base + c;
    let v = array<vec4<f32>, 4>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
    let g = array<vec4<f32>, 4>(dy[at] * w[0], dy[at + 1u] * w[1], dy[at + 2u] * w[2], dy[at + 3u] * w[3]);
    s = add_chunk(s, f32(c), v, g);
  }
  let rest = weights(whole, member);
  for (var c = whole; c < params.stride4; c++) {
    s = add_vec4(s, c, x[row.base + c], dy[row.base + c] * rest[c - whole]);
  }
  let cols = f32(params.cols);
  let counts = column_counts();
  let mean = sum4(s.mean * counts) / cols;
  let mean_g = sum4(s.mean_g * counts) / cols;
  let apart = s.mean - mean;
  let squares = sum4(fma(apart * apart, counts, s.squares));
  let products = sum4(fma(apart * (s.mean_g - mean_g), counts, s.products));
  let scale = 1.0 / sqrt(squares / cols + params.eps);
  let along = scale * products / cols;
  for (var c = 0u; c < params.stride4; c++) {
    let w = share4(weight[4u * c + member % 4u]);
    let at = row.base + c;
    var value = within(scale * (dy[at] * w - mean_g - (x[at] - mean) * scale * along), c);
    if (row.has) {
      if (params.accumulate != 0u) { value += dx[at]; }
      dx[at] = value;
    }
  }
}
