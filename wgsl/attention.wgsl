// Causal grouped-query attention over a packed forest: y = softmax(scale q k^T) v over each row's path, for any even
// head size. Needs no feature; attention_subgroups is the variant for devices with subgroups.
//
// Shapes in units of L (lib/lanes): qkv [T, qkv_stride] with q (heads), k, v (heads / group each) side by side;
// y [T, y_stride], heads * lanes of it used, the rest zeros. Layout: a workgroup owns up to WG rows of one segment, or
// of several children of one parent, and one query head, an invocation one row; keys and values are loaded at the same
// addresses by all rows that see them (lib/attention_own_path). The scores of a tile of keys stay in registers and the
// output is accumulated in y, so that only loop bounds depend on the head size. Accumulation: f32; tiles of keys begin
// at multiples of 4 in path position, so that a row's bits depend on its own path alone. Source: Milakov & Gimelshein
// 2018, arXiv 1805.02867 (online softmax); Dao 2023, arXiv 2307.08691 (tiles, division at the end).
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_own_path
//#include attention_forward

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * params.heads) { return; }
  let tile = tile_of(index);
  if (lane >= tile.count) { return; }
  let row = tile.row + lane;
  let path = path_of(tile, row);
  let q_at = row * params.qkv_stride + tile.query;
  let out = row * params.y_stride + tile.query;
  var top = LOWEST;
  var total = 0.0;
  for (var t = 0u; t <= path.last; t += 4u) {
    let r0 = row_at(path, t);
    let r1 = row_at(path, t + 1u);
    let r2 = row_at(path, t + 2u);
    let r3 = row_at(path, t + 3u);
    var s = vec4<f32>(0.0);
    for (var d = 0u; d < params.lanes; d++) {
      let k = tile.key + d;
      s += scores4(qkv[q_at + d] * params.scale, qkv[r0 + k], qkv[r1 + k], qkv[r2 + k], qkv[r3 + k]);
    }
    let see = sees(path.last + 1u, t);
    let next = max(top, max4(select(vec4<f32>(LOWEST), s, see)));
    let kept = rescale(top, next);
    let p = select(vec4<f32>(0.0), exp(s - next), see);
    total = fma(total, kept, sum4(p));
    top = next;
    for (var d = 0u; d < params.lanes; d++) {
      let v = tile.value + d;
      var acc = L(0.0);
      if (t > 0u) { acc = y[out + d] * kept; }
      y[out + d] = add4(acc, p, see, qkv[r0 + v], qkv[r1 + v], qkv[r2 + v], qkv[r3 + v]);
    }
  }
  finish(tile, row, top, total);
}
