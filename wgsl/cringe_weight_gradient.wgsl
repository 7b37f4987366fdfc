// The CRINGE penalty's gradient of the vocabulary's weight: dw_target += c_e h_e, dw_drawn -= c_e h_e, c = g slope.
//
// Shapes: targets, drawn, gradient as in cringe_input_gradient; h [rows, H] f32; dw [V, H] f32, bound as a window of
// `count` rows from row `first` on. Layout: `parts` invocations per vec4 of columns, each for the words whose index leaves
// its remainder: so no two write the same place. Accumulation: f32, tokens ascending, in place; `parts` changes no bit.
// Padding columns stay zeros.
//#include grid
struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  first: u32,
  count: u32,
  parts: u32,
}
@group(0) @binding(0) var<storage, read> targets: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read> drawn: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> h: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> dw: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> params: Params;

override WG: u32 = 64;

fn add(word: u32, part: u32, col: u32, c: f32, value: vec4<f32>) {
  let row = word - params.first;
  if (row >= params.count || word % params.parts != part) { return; }
  let at = row * params.stride4 + col;
  let real = 4u * col + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.cols);
  dw[at] = select(vec4<f32>(0.0), fma(vec4<f32>(c), value, dw[at]), real);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid) * WG + lane;
  if (index >= params.parts * params.stride4) { return; }
  let col = index % params.stride4;
  let part = index / params.stride4;
  for (var row = 0u; row < params.rows; row++) {
    let c = gradient[row].x * bitcast<f32>(drawn[row].x);
    let value = h[row * params.stride4 + col];
    add(u32(targets[row].x), part, col, c, value);
    add(drawn[row].y, part, col, -c, value);
  }
}
