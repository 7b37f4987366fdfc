// Partial sums of squares, one for each block of 1024 vec4s: partials[first + b] = sum of values[b]^2.
//
// Shapes: values [count vec4s]; partials [first + ceil(count / 1024), ...]. Layout: one workgroup per block; lane l
// takes the block's vec4s l, l + 64, ... Accumulation: f32; a lane's four columns apart, ascending, then the lanes in
// order. Blocks are a function of the position alone, so the sum has one order. NaN and Inf come through.
//#include grid
struct Params {
  count: u32,
  first: u32,
  block: u32,
  lanes: u32,
}
@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const WG = 64u;
var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let block = workgroup_index(workgroup, grid);
  let begin = block * params.block;
  let end = min(begin + params.block, params.count);
  var squares = vec4<f32>(0.0);
  for (var i = begin + lane; i < end; i += params.lanes) {
    squares = fma(values[i], values[i], squares);
  }
  sums[lane] = (squares.x + squares.y) + (squares.z + squares.w);
  workgroupBarrier();
  if (lane == 0u && begin < end) {
    var sum = 0.0;
    for (var l = 0u; l < params.lanes; l++) {
      sum += sums[l];
    }
    partials[params.first + block] = sum;
  }
}
