// Causal grouped-query attention over a packed forest: y = softmax(scale q k^T) v over each row's path, for any even
// head size. Keys and values are shared through workgroup memory; attention_subgroups is the same with broadcasts.
//
// Shapes in units of L (lib/lanes): qkv [T, qkv_stride] with q (heads), k, v (heads / group each) side by side;
// y [T, y_stride], heads * lanes of it used, the rest zeros. Layout and order: lib/attention_walk; a workgroup owns up
// to WG rows of one segment and one head. Accumulation: f32; tiles of keys begin at multiples of 16 in path position,
// so that a row's bits depend on its own path alone. Source: Milakov & Gimelshein 2018, arXiv 1805.02867 (online
// softmax); Dao 2023, arXiv 2307.08691 (tiles, division at the end).
//#header lanes
//#include grid
//#include attention_tile
//#include attention_walk

var<workgroup> shared_rows: array<L, 16>;

fn share(lane: u32, low: L, high: L) -> array<L, 16> {
  workgroupBarrier();
  if (lane < 8u) {
    shared_rows[lane] = low;
    shared_rows[lane + 8u] = high;
  }
  workgroupBarrier();
  return shared_rows;
}
