// Attention's gradient for the queries, as attention_query_gradient.wgsl says, for CPU adapters with subgroups: an invocation
// owns four rows of queries (or one), and subgroups share tiles of 32 keys (lib/attention_blocks). The scores of a tile stay
// in registers; the gradient is accumulated in workgroup memory (lib/own_held) or in dqkv, once per tile. Accumulation: f32;
// tiles of keys begin at multiples of 32 in path position, keys ascending. A row that sees a key that is not finite is NaN
// in all columns of the head. No invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_walk_rows
//#include attention_query_gradient
//#header member
//#header own_rows
//#include attention_blocks
//#include own_held
//#include attention_key_tiles

// The part that may be held, before the queries.
const SUM = 0u;

fn output_gradient(at: vec4<u32>, d: u32) -> Own {
  return own_of(dy[at.x + d], dy[at.y + d], dy[at.z + d], dy[at.w + d]);
}

fn write(at: vec4<u32>, d: u32, sum: Own, which: vec4<bool>) {
  let rows = rows_of(sum);
  if (which.x) { dqkv[at.x + d] = rows[0]; }
  if (OWN > 1u) {
    if (which.y) { dqkv[at.y + d] = rows[1]; }
    if (which.z) { dqkv[at.z + d] = rows[2]; }
    if (which.w) { dqkv[at.w + d] = rows[3]; }
  }
}

// What an invocation's rows bring to each score's gradient.
struct Rows {
  denominator: R,
  mean: R,
  // Path positions that they see.
  seen: vec4<u32>,
}

// The gradient of the score of path position t; 0 where it isn't seen.
fn score_gradient(s: R, e: R, rows: Rows, t: u32) -> R {
  return select(R(0.0), exp(s - rows.denominator) * (e - rows.mean) * params.scale, vec4<u32>(t) < rows.seen);
}

fn score_gradients(s: Eight, e: Eight, rows: Rows, t: u32) -> Eight {
  return Eight(
    score_gradient(s[0], e[0], rows, t), score_gradient(s[1], e[1], rows, t + 1u),
    score_gradient(s[2], e[2], rows, t + 2u), score_gradient(s[3], e[3], rows, t + 3u),
    score_gradient(s[4], e[4], rows, t + 4u), score_gradient(s[5], e[5], rows, t + 5u),
    score_gradient(s[6], e[6], rows, t + 6u), score_gradient(s[7], e[7], rows, t + 7u),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * params.heads) { return; }
  let tile = tile_of(index);
  // Rows past the last follow it, see nothing and are not written.
  let place = places(lane);
  let has = owned(place, tile.count);
  let rows = tile.row + min(place, vec4<u32>(tile.count - 1u));
  let q_at = rows * params.qkv_stride + tile.query;
  let g_at = rows * params.y_stride + tile.query;
  let at = rows * params.lse_stride + tile.head;
  let denominator = R(lse[at.x], lse[at.y], lse[at.z], lse[at.w]);
  let mean = R(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
  hold_queries(lane, q_at);
  for (var n = tile.first_segment; n < tile.end_segment; n++) {
    let walk = walk_of(tile, n, TILE);
    let own = Rows(denominator, mean, select(vec4<u32>(0u), rows_seen_in(walk, rows), has));
    for (var t = walk.first; t <= walk.path.last; t += TILE) {
      let keys = keys_at(walk, t, member);
      var s0 = Eight();
      var s1 = Eight();
      var s2 = Eight();
      var s3 = Eight();
      var spoils = vec4<bool>(false);
      for (var d = 0u; d < params.lanes; d++) {
        let k = shared_rows(keys, tile.key + d);
        let q = held_query(lane, q_at, d);
        add_scores(&s0, q, k[0]);
        add_scores(&s1, q, k[1]);
        add_scores(&s2, q, k[2]);
        add_scores(&s3, q, k[3]);
        spoils |= spoilt_rows(k);
      }
      var e0 = Eight();
      var e1 = Eight();
      var e2 = Eight();
      var e3 = Eight();
      for (var d = 0u; d < params.lanes; d++) {
        let v = shared_rows(keys, tile.value + d);
        let g = output_gradient(g_at, d);
        add_scores(&e0, g, v[0]);
        add_scores(&e1, g, v[1]);
        add_scores(&e2, g, v[2]);
        add_scores(&e3, g, v[3]);
      }
      var ds0 = score_gradients(s0, e0, own, t);
      let ds1 = score_gradients(s1, e1, own, t + 8u);
      let ds2 = score_gradients(s2, e2, own, t + 16u);
      let ds3 = score_gradients(s3, e3, own, t + 24u);
      let first = first_spoilt(keys.position, spoils);
      ds0[0] = select(ds0[0], R(not_a_number()), vec4<u32>(first) < own.seen);
      let writes = vec4<u32>(t) < own.seen;
      for (var d = 0u; d < params.lanes; d++) {
        let k = shared_rows(keys, tile.key + d);
        var sum = Own();
        if (PARTS > SUM) {
          sum = held(SUM, lane, d);
        } else if (t > 0u) {
          sum = own_of(dqkv[q_at.x + d], dqkv[q_at.y + d], dqkv[q_at.z + d], dqkv[q_at.w + d]);
        }
        sum = add_rows(add_rows(add_rows(add_rows(sum, ds0, k[0]), ds1, k[1]), ds2, k[2]), ds3, k[3]);
        if (PARTS > SUM) { hold(SUM, lane, d, sum); } else { write(q_at, d, sum, writes); }
      }
    }
  }
  if (PARTS > SUM) {
    for (var d = 0u; d < params.lanes; d++) { write(q_at, d, held(SUM, lane, d), has); }
  }
}
