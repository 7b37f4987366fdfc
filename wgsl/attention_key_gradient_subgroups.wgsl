// Attention's gradients for keys and values, as attention_key_gradient.wgsl says, for CPU adapters with subgroups: an
// invocation owns four rows of keys (or one), and subgroups share tiles of queries (lib/attention_blocks): of 16, since with
// 32 the kernel would take twice as long to build. The scores of a tile stay in registers; the gradients are accumulated in
// workgroup memory (lib/own_held) or in dqkv, once per tile. A row whose key is seen by a query that is not finite, or by
// one with such a dy, is NaN in all columns of the head. No invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_key_gradient
//#header member
//#header own_rows
//#include attention_blocks
//#include own_held

// Parts that may be held.
const VALUE_SUM = 0u;
const KEY_SUM = 1u;

fn own_at(at: vec4<u32>, d: u32) -> Own {
  return own_of(qkv[at.x + d], qkv[at.y + d], qkv[at.z + d], qkv[at.w + d]);
}

fn sum_before(part: u32, lane: u32, at: vec4<u32>, d: u32, started: bool) -> Own {
  var sum = Own();
  if (PARTS > part) {
    sum = held(part, lane, d);
  } else if (started) {
    sum = own_of(dqkv[at.x + d], dqkv[at.y + d], dqkv[at.z + d], dqkv[at.w + d]);
  }
  return sum;
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

// A tile of queries, of which each member holds numbers for two: for row 8 j + i of the tile, element j of member i.
struct Queries {
  denominators: vec4<f32>,
  means: vec4<f32>,
  // First row, and the row that ends the range.
  first: u32,
  end: u32,
}

// The weight of the query in row `query` for each of the rows; 0 where it doesn't see them.
fn weight(s: R, denominator: f32, rows: vec4<u32>, query: u32, end: u32) -> R {
  return select(R(0.0), exp(s - denominator), (vec4<u32>(query) >= rows) & vec4<bool>(query < end));
}

fn weights(s: Eight, queries: Queries, part: u32, rows: vec4<u32>) -> Eight {
  let t = queries.first + 8u * part;
  return Eight(
    weight(s[0], member0(queries.denominators)[part], rows, t, queries.end), weight(s[1], member1(queries.denominators)[part], rows, t + 1u, queries.end),
    weight(s[2], member2(queries.denominators)[part], rows, t + 2u, queries.end), weight(s[3], member3(queries.denominators)[part], rows, t + 3u, queries.end),
    weight(s[4], member4(queries.denominators)[part], rows, t + 4u, queries.end), weight(s[5], member5(queries.denominators)[part], rows, t + 5u, queries.end),
    weight(s[6], member6(queries.denominators)[part], rows, t + 6u, queries.end), weight(s[7], member7(queries.denominators)[part], rows, t + 7u, queries.end),
  );
}

// The gradient of a query's score; 0 where it doesn't see the row.
fn score_gradient(p: R, e: R, mean: f32, rows: vec4<u32>, query: u32, end: u32) -> R {
  return select(R(0.0), p * (e - mean) * params.scale, (vec4<u32>(query) >= rows) & vec4<bool>(query < end));
}

fn score_gradients(p: Eight, e: Eight, queries: Queries, part: u32, rows: vec4<u32>) -> Eight {
  let t = queries.first + 8u * part;
  return Eight(
    score_gradient(p[0], e[0], member0(queries.means)[part], rows, t, queries.end), score_gradient(p[1], e[1], member1(queries.means)[part], rows, t + 1u, queries.end),
    score_gradient(p[2], e[2], member2(queries.means)[part], rows, t + 2u, queries.end), score_gradient(p[3], e[3], member3(queries.means)[part], rows, t + 3u, queries.end),
    score_gradient(p[4], e[4], member4(queries.means)[part], rows, t + 4u, queries.end), score_gradient(p[5], e[5], member5(queries.means)[part], rows, t + 5u, queries.end),
    score_gradient(p[6], e[6], member6(queries.means)[part], rows, t + 6u, queries.end), score_gradient(p[7], e[7], member7(queries.means)[part], rows, t + 7u, queries.end),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * kv_heads()) { return; }
  let tile = key_tile_of(index);
  // Rows past the last follow it and are not written.
  let place = places(lane);
  let has = owned(place, tile.count);
  let rows = tile.row + min(place, vec4<u32>(tile.count - 1u));
  let k_at = rows * params.qkv_stride + tile.key;
  let v_at = rows * params.qkv_stride + tile.value;
  var started = false;
  for (var range_index = tile.first_range; range_index < tile.end_range; range_index++) {
    let range = ranges[range_index].xy;
    for (var head = tile.head; head < tile.head + params.group; head++) {
      let query = head * params.lanes;
      for (var t = max(range.x, tile.row); t < range.y; t += 16u) {
        // Rows past the end repeat the last one; they are not seen.
        let shared_rows = min(vec2<u32>(t + member % 8u) + vec2<u32>(0u, 8u), vec2<u32>(range.y - 1u));
        let q_at = shared_rows * params.qkv_stride + query;
        let g_at = shared_rows * params.y_stride + query;
        let at = shared_rows * params.lse_stride + head;
        let denominators = vec4<f32>(vec2<f32>(lse[at.x], lse[at.y]), 0.0, 0.0);
        let queries = Queries(denominators, vec4<f32>(delta[at.x], delta[at.y], 0.0, 0.0), t, range.y);
        var spoilt0 = false;
        var spoilt1 = false;
        var s0 = Eight();
        var s1 = Eight();
        for (var d = 0u; d < params.lanes; d++) {
          let q0 = qkv[q_at.x + d];
          let q1 = qkv[q_at.y + d];
          let k = scale_rows(own_at(k_at, d), R(params.scale));
          add_scores(&s0, k, q0);
          add_scores(&s1, k, q1);
          spoilt0 |= spoilt(q0);
          spoilt1 |= spoilt(q1);
        }
        var e0 = Eight();
        var e1 = Eight();
        for (var d = 0u; d < params.lanes; d++) {
          let g0 = dy[g_at.x + d];
          let g1 = dy[g_at.y + d];
          let v = own_at(v_at, d);
          add_scores(&e0, v, g0);
          add_scores(&e1, v, g1);
          spoilt0 |= spoilt(g0);
          spoilt1 |= spoilt(g1);
        }
        let spoilt_rows = select(vec2<u32>(0u), shared_rows + 1u, vec2<bool>(spoilt0, spoilt1));
        let last = subgroupMax(max(spoilt_rows.x, spoilt_rows.y));
        let poison = rows < vec4<u32>(last);
        var p0 = weights(s0, queries, 0u, rows);
        let p1 = weights(s1, queries, 1u, rows);
        p0[0] = select(p0[0], R(not_a_number()), poison);
        for (var d = 0u; d < params.lanes; d++) {
          let g0 = dy[g_at.x + d];
          let g1 = dy[g_at.y + d];
          var dv = sum_before(VALUE_SUM, lane, v_at, d, started);
          dv = add_rows(add_rows(dv, p0, g0), p1, g1);
          if (PARTS > VALUE_SUM) { hold(VALUE_SUM, lane, d, dv); } else { write(v_at, d, dv, has); }
        }
        var ds0 = score_gradients(p0, e0, queries, 0u, rows);
        let ds1 = score_gradients(p1, e1, queries, 1u, rows);
        ds0[0] = select(ds0[0], R(not_a_number()), poison);
        for (var d = 0u; d < params.lanes; d++) {
          let q0 = qkv[q_at.x + d];
          let q1 = qkv[q_at.y + d];
          var dk = sum_before(KEY_SUM, lane, k_at, d, started);
          dk = add_rows(add_rows(dk, ds0, q0), ds1, q1);
          if (PARTS > KEY_SUM) { hold(KEY_SUM, lane, d, dk); } else { write(k_at, d, dk, has); }
        }
        started = true;
      }
    }
  }
  for (var i = 0u; i < PARTS * params.lanes; i++) {
    let value = i < params.lanes;
    let d = i % params.lanes;
    write(select(k_at, v_at, value), d, held(select(KEY_SUM, VALUE_SUM, value), lane, d), has);
  }
  if (has.x) {
    for (var row = rows.x; row <= last_own(rows); row++) { pad_row(tile, row); }
  }
}
