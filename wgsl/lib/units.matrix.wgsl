// The device's matrix units: f16 factors, f32 sums. Dawn's experimental extension, docs/dawn/features/subgroup_matrix.md.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
alias Half = f16;
alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Sum = subgroup_matrix_result<f32, N, M>;
// 4 x 2 matrices, each in registers of its own.
struct Sums {
  s00: Sum,
  s01: Sum,
  s10: Sum,
  s11: Sum,
  s20: Sum,
  s21: Sum,
  s30: Sum,
  s31: Sum,
}
struct Member {
  @builtin(subgroup_id) team: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) lanes: u32,
}
fn enter(member: Member, index: u32) {}
fn team_of(member: Member, index: u32) -> u32 { return member.team; }
fn lane_of(member: Member, index: u32) -> u32 { return member.lane; }
fn lanes_of(member: Member) -> u32 { return member.lanes; }
// Bounds that are constants: these loops are worth unrolling.
fn times(n: u32) -> u32 { return n; }
// What is loaded waits in registers.
const carries = true;
fn round_to_half(value: vec4<f32>) -> vec4<f16> { return vec4<f16>(value); }
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn left_by_rows(at: u32, pitch: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&left_tile, at, pitch); }
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn left_by_depth(at: u32, pitch: u32) -> Left { return subgroupMatrixLoad<Left, col_major>(&left_tile, at, pitch); }
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn right_by_rows(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&right_tile, at, pitch); }
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn right_by_depth(at: u32, pitch: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&right_tile, at, pitch); }
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn multiply(sums: ptr<function, Sums>, buffer: u32, row: u32, col: u32, k: u32) {
  let b0 = right_matrix(buffer, col, k);
  let b1 = right_matrix(buffer, col + N, k);
  let a0 = left_matrix(buffer, row, k);
  (*sums).s00 = subgroupMatrixMultiplyAccumulate(a0, b0, (*sums).s00);
  (*sums).s01 = subgroupMatrixMultiplyAccumulate(a0, b1, (*sums).s01);
  let a1 = left_matrix(buffer, row + M, k);
  (*sums).s10 = subgroupMatrixMultiplyAccumulate(a1, b0, (*sums).s10);
  (*sums).s11 = subgroupMatrixMultiplyAccumulate(a1, b1, (*sums).s11);
  let a2 = left_matrix(buffer, row + 2u * M, k);
  (*sums).s20 = subgroupMatrixMultiplyAccumulate(a2, b0, (*sums).s20);
  (*sums).s21 = subgroupMatrixMultiplyAccumulate(a2, b1, (*sums).s21);
  let a3 = left_matrix(buffer, row + 3u * M, k);
  (*sums).s30 = subgroupMatrixMultiplyAccumulate(a3, b0, (*sums).s30);
  (*sums).s31 = subgroupMatrixMultiplyAccumulate(a3, b1, (*sums).s31);
}
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn store(sums: ptr<function, Sums>, i: u32, at: u32) {
  switch i {
    case 0u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s00, N); }
    case 1u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s01, N); }
    case 2u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s10, N); }
    case 3u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s11, N); }
    case 4u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s20, N); }
    case 5u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s21, N); }
    case 6u: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s30, N); }
    default: { subgroupMatrixStore<row_major>(&finished, at, (*sums).s31, N); }
  }
}
