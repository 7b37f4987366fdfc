// Causal grouped-query attention over a packed forest, as attention.wgsl says, for CPU adapters with subgroups: an invocation
// owns four rows of queries (or one), and subgroups share tiles of 32 keys (lib/attention_blocks). The scores of a tile stay
// in registers; the output is accumulated in workgroup memory (lib/own_held) or in y, once per tile. Accumulation: f32; tiles
// of keys begin at multiples of 32 in path position, columns and keys ascending, so that a row's bits depend on its own path
// alone. A row that sees a value that is not finite is NaN in all columns of the head, and its log-sum-exp too. No
// invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_walk_rows
//#include attention_forward
//#header member
//#header own_rows
//#include attention_blocks
//#include own_held
//#include attention_key_tiles

// The part that may be held, before the queries.
const OUTPUT = 0u;

fn output(at: vec4<u32>, d: u32) -> Own {
  return own_of(y[at.x + d], y[at.y + d], y[at.z + d], y[at.w + d]);
}

fn write(at: vec4<u32>, d: u32, sum: Own, which: vec4<bool>) {
  let rows = rows_of(sum);
  if (which.x) { y[at.x + d] = rows[0]; }
  if (OWN > 1u) {
    if (which.y) { y[at.y + d] = rows[1]; }
    if (which.z) { y[at.z + d] = rows[2]; }
    if (which.w) { y[at.w + d] = rows[3]; }
  }
}

fn seen_score(s: R, t: u32, seen: vec4<u32>) -> R {
  return select(R(LOWEST), s, vec4<u32>(t) < seen);
}

// The highest of the scores of path positions t .. t + 7 that a row sees.
fn highest(s: Eight, t: u32, seen: vec4<u32>) -> R {
  let a = max(seen_score(s[0], t, seen), seen_score(s[1], t + 1u, seen));
  let b = max(seen_score(s[2], t + 2u, seen), seen_score(s[3], t + 3u, seen));
  let c = max(seen_score(s[4], t + 4u, seen), seen_score(s[5], t + 5u, seen));
  let d = max(seen_score(s[6], t + 6u, seen), seen_score(s[7], t + 7u, seen));
  return max(max(a, b), max(c, d));
}

fn weight(s: R, top: R, t: u32, seen: vec4<u32>) -> R {
  return select(R(0.0), exp(s - top), vec4<u32>(t) < seen);
}

// Scores become weights relative to exp(top).
fn weights(s: Eight, top: R, t: u32, seen: vec4<u32>) -> Eight {
  return Eight(
    weight(s[0], top, t, seen), weight(s[1], top, t + 1u, seen), weight(s[2], top, t + 2u, seen), weight(s[3], top, t + 3u, seen),
    weight(s[4], top, t + 4u, seen), weight(s[5], top, t + 5u, seen), weight(s[6], top, t + 6u, seen), weight(s[7], top, t + 7u, seen),
  );
}

fn sum8(s: Eight) -> R {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
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
  let out = rows * params.y_stride + tile.query;
  hold_queries(lane, q_at);
  var top = R(LOWEST);
  var total = R(0.0);
  for (var n = tile.first_segment; n < tile.end_segment; n++) {
    let walk = walk_of(tile, n, TILE);
    let seen = select(vec4<u32>(0u), rows_seen_in(walk, rows), has);
    for (var t = walk.first; t <= walk.path.last; t += TILE) {
      let keys = keys_at(walk, t, member);
      var s0 = Eight();
      var s1 = Eight();
      var s2 = Eight();
      var s3 = Eight();
      for (var d = 0u; d < params.lanes; d++) {
        let k = shared_rows(keys, tile.key + d);
        let q = held_query(lane, q_at, d);
        add_scores(&s0, q, k[0]);
        add_scores(&s1, q, k[1]);
        add_scores(&s2, q, k[2]);
        add_scores(&s3, q, k[3]);
      }
      let low = max(highest(s0, t, seen), highest(s1, t + 8u, seen));
      let high = max(highest(s2, t + 16u, seen), highest(s3, t + 24u, seen));
      let next = max(top, max(low, high));
      // As rescale in lib/attention_forward.
      let kept = select(exp(top - next), R(1.0), top == next);
      top = next;
      let p0 = weights(s0, next, t, seen);
      let p1 = weights(s1, next, t + 8u, seen);
      let p2 = weights(s2, next, t + 16u, seen);
      let p3 = weights(s3, next, t + 24u, seen);
      total = fma(total, kept, (sum8(p0) + sum8(p1)) + (sum8(p2) + sum8(p3)));
      let writes = vec4<u32>(t) < seen;
      var spoils = vec4<bool>(false);
      for (var d = 0u; d < params.lanes; d++) {
        let v = shared_rows(keys, tile.value + d);
        var before = Own();
        if (PARTS > OUTPUT) { before = held(OUTPUT, lane, d); } else if (t > 0u) { before = output(out, d); }
        let sum = add_rows(add_rows(add_rows(add_rows(scale_rows(before, kept), p0, v[0]), p1, v[1]), p2, v[2]), p3, v[3]);
        if (PARTS > OUTPUT) { hold(OUTPUT, lane, d, select_rows(before, sum, writes)); } else { write(out, d, sum, writes); }
        spoils |= spoilt_rows(v);
      }
      let first = first_spoilt(keys.position, spoils);
      total = select(total, R(not_a_number()), vec4<u32>(first) < seen);
    }
  }
  for (var d = 0u; d < params.lanes; d++) {
    var sum = Own();
    if (PARTS > OUTPUT) { sum = held(OUTPUT, lane, d); } else { sum = output(out, d); }
    write(out, d, divide_rows(sum, total), has);
  }
  if (has.x) {
    for (var row = rows.x; row <= last_own(rows); row++) { finish_lse(tile, row, top[row - rows.x], total[row - rows.x]); }
  }
}
