// Attention's gradient for the queries, as attention_query_gradient.wgsl says, for GPUs: layout and its reasons in
// lib/attention_shared, for heads of whole vec4s up to 256 columns. Of each tile of keys two products are scores (q . k,
// dy . v), one is added to dq: 96 D multiply-adds for each row and 3 * 32 D + 2 * 64 D floats loaded for 64 rows, 27 for
// each float.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_query_gradient
//#include outer
//#include attention_shared
//#include attention_shared_rows
//#include attention_shared_gradient

fn gradients(s: vec4<f32>, e: vec4<f32>, denominator: f32, mean: f32) -> vec4<f32> {
  return exp(s - denominator) * (e - mean) * params.scale;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid);
  let count = params.tiles * params.heads;
  if (index >= count) { return; }
  let last = count - 1u;
  let tile = tile_of(last - index);
  let heads = heads_of(tile);
  if (heads == 0u) { return; }
  let place = place_of(lane);
  let stage = stage_of(lane);
  let own = own_rows(tile, heads, four(4u * place.rows));
  let at = own.row * params.lse_stride + tile.head + own.head;
  let denominator = denominators_at(at);
  let mean = means_at(at);
  let staged_rows = own_rows(tile, heads, four(4u * stage.group));
  let query = tile.query + staged_rows.head * params.lanes;
  let q_at = staged_rows.row * params.qkv_stride + query;
  let g_at = staged_rows.row * params.y_stride + query;
  var sums = Slices();
  for (var n = tile.first_segment; n < tile.end_segment; n++) {
    let walk = walk_of(tile, n, OTHERS);
    let seen = seen_of(walk, own);
    for (var t = walk.first; t <= walk.path.last; t += OTHERS) {
      let sees = seen_in_tile(seen, t);
      let k_at = keys_at(walk.path, t, others_of(stage.group), 0u);
      let scaled = Factor(false, select(k_at + tile.key, q_at, stage.of_rows), select(1.0, params.scale, stage.of_rows));
      let plain = Factor(stage.of_rows, select(k_at + tile.value, g_at, stage.of_rows), 1.0);
      let both = scores(place, stage, scaled, plain, 2u, sees_any(sees));
      let s = both.before;
      let e = both.last;
      hold(place, Sums(
        gradients(s[0], e[0], denominator.x, mean.x), gradients(s[1], e[1], denominator.y, mean.y),
        gradients(s[2], e[2], denominator.z, mean.z), gradients(s[3], e[3], denominator.w, mean.w)));
      let keys = Source(walk.path, t, false, params.qkv_stride, tile.key, params.lanes);
      add_others(&sums, place, keys, sees, min(OTHERS, walk.path.last + 1u - t));
    }
  }
  let slices = slices_of(sums);
  for (var c = 0u; c * GROUPS + place.group < params.lanes; c++) {
    for (var i = 0u; i < 4u && own.exists[i]; i++) {
      let to = own.row[i] * params.qkv_stride + tile.query + own.head[i] * params.lanes;
      dqkv[to + c * GROUPS + place.group] = slices[c][i];
    }
  }
}
