// Matrix units in plain arithmetic, for 8 x 8 matrices, so that a CPU runs the kernel around them (too slow to build for more). Eight invocations are a team and have a row of
// the sums each; a factor is where it begins in workgroup memory, with the steps from row to row and from column to column.
// Halves are f32s that f16 can hold: rounded to the nearest, ties to even, Inf past the largest. Terms ascending, by fma.
alias Half = f32;
struct Left { at: u32, row: u32, term: u32 }
struct Right { at: u32, term: u32, col: u32 }
// Row `own_lane` of 4 x 2 matrices, two vec4s each.
alias Sums = array<vec4<f32>, 16>;
struct Member { @builtin(local_invocation_id) id: vec3<u32> }
var<private> own_lane: u32;
fn enter(member: Member, index: u32) { own_lane = index % 8u; }
fn team_of(member: Member, index: u32) -> u32 { return index / 8u; }
fn lane_of(member: Member, index: u32) -> u32 { return index % 8u; }
fn lanes_of(member: Member) -> u32 { return 8u; }
// Bounds that the compiler does not know: drivers of CPUs would unroll these loops for minutes.
fn times(n: u32) -> u32 { return min(n, n * params.rows); }
// What is loaded goes on at once.
const carries = false;
fn round_to_half(value: vec4<f32>) -> vec4<f32> {
  return near_half(value);
}
fn left_by_rows(at: u32, pitch: u32) -> Left { return Left(at, pitch, 1u); }
fn left_by_depth(at: u32, pitch: u32) -> Left { return Left(at, 1u, pitch); }
fn right_by_rows(at: u32, pitch: u32) -> Right { return Right(at, 1u, pitch); }
fn right_by_depth(at: u32, pitch: u32) -> Right { return Right(at, pitch, 1u); }
fn multiply(sums: ptr<function, Sums>, buffer: u32, row: u32, col: u32, k: u32) {
  for (var i = 0u; i < times(8u); i++) {
    let a = left_matrix(buffer, row + i / 2u * M, k);
    let b = right_matrix(buffer, col + (i & 1u) * N, k);
    var low = (*sums)[2u * i];
    var high = (*sums)[2u * i + 1u];
    for (var term = 0u; term < times(K); term++) {
      let x = vec4<f32>(left_tile[a.at + own_lane * a.row + term * a.term]);
      let at = b.at + term * b.term;
      low = fma(x, vec4<f32>(right_tile[at], right_tile[at + b.col], right_tile[at + 2u * b.col], right_tile[at + 3u * b.col]), low);
      high = fma(x, vec4<f32>(right_tile[at + 4u * b.col], right_tile[at + 5u * b.col], right_tile[at + 6u * b.col], right_tile[at + 7u * b.col]), high);
    }
    (*sums)[2u * i] = low;
    (*sums)[2u * i + 1u] = high;
  }
}
fn store(sums: ptr<function, Sums>, i: u32, at: u32) {
  for (var k = 0u; k < times(4u); k++) {
    finished[at + own_lane * N + k] = (*sums)[2u * i][k];
    finished[at + own_lane * N + 4u + k] = (*sums)[2u * i + 1u][k];
  }
}
