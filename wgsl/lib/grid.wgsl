// Grids over the limit of one dimension are folded into two; this undoes it. Some workgroups past the end may start:
// every kernel compares the result with its own bound.
fn workgroup_index(workgroup: vec3<u32>, grid: vec3<u32>) -> u32 {
  return workgroup.y * grid.x + workgroup.x;
}
