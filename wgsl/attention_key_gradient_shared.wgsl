// Attention's gradients for keys and values, as attention_key_gradient.wgsl says, for GPUs: layout and its reasons in
// lib/attention_shared, for heads of whole vec4s up to 256 columns. A workgroup's rows are keys of one key/value head,
// the others are queries. Of each tile two products are scores (k . q, v . dy), two are added to dv and dk: 2 * 2 * 64 *
// 32 D * 2 multiply-adds for 4 * 32 D + 2 * 64 D floats, 32 for each. Both sums are in registers, 32 * SLICES floats; so
// heads above 128 columns take two workgroups of four slices each, which both compute the scores (6 products instead
// of 4; eight slices of both sums would be 256 registers, beside all else more than most GPUs have).
// Order of sums: as in attention_key_gradient.wgsl.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_key_gradient
//#include outer
//#include attention_shared
//#include attention_shared_gradient

// Of 4 rows of others: where they begin, in units of `stride` and from `column` on.
fn queries_at(path: Path, first: u32, others: vec4<u32>, stride: u32, column: u32) -> vec4<u32> {
  return min(first + others, vec4<u32>(path.last)) * stride + column;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = workgroup_index(workgroup, grid);
  let pairs = params.tiles * kv_heads();
  if (pairs == 0u) { return; }
  let window = index / pairs * GROUPS * SLICES;
  if (window >= params.lanes) { return; }
  let tile = key_tile_of(index % pairs);
  let lanes = min(params.lanes - window, GROUPS * SLICES);
  let place = place_of(lane);
  let stage = stage_of(lane);
  // Places past the last row repeat it, and are not stored; groups without a row see nothing and compute nothing.
  let rows = tile.row + min(four(4u * place.rows), vec4<u32>(tile.count - 1u));
  let exists = four(4u * place.rows) < vec4<u32>(tile.count);
  let staged_rows = tile.row + min(four(4u * stage.group), vec4<u32>(tile.count - 1u));
  let k_at = staged_rows * params.qkv_stride + tile.key;
  let v_at = staged_rows * params.qkv_stride + tile.value;
  var dk = Slices();
  var dv = Slices();
  for (var r = tile.first_range; r < tile.end_range; r++) {
    let range = ranges[r].xy;
    // Rows past the end repeat the last one; they are not seen.
    let path = Path(0u, 0u, 0u, range.y - 1u);
    for (var head = tile.head; head < tile.head + params.group; head++) {
      let query = head * params.lanes;
      for (var t = max(range.x, tile.row); t < range.y; t += OTHERS) {
        let count = min(range.y - t, OTHERS);
        // A key's own segment sees it from its row on; children's rows all lie behind it.
        let sees = Seen(min(max(rows, vec4<u32>(t)) - t, vec4<u32>(OTHERS)), vec4<u32>(select(0u, count, exists.x)));
        let staged_others = others_of(stage.group);
        let q_at = queries_at(path, t, staged_others, params.qkv_stride, query);
        let scaled = Factor(false, select(q_at, k_at, stage.of_rows), select(1.0, params.scale, stage.of_rows));
        let g_at = queries_at(path, t, staged_others, params.y_stride, query);
        let plain = Factor(!stage.of_rows, select(g_at, v_at, stage.of_rows), 1.0);
        let both = scores(place, stage, scaled, plain, 2u, sees_any(sees));
        let s = both.before;
        let e = both.last;
        let at = queries_at(path, t, others_of(place.group), params.lse_stride, head);
        let denominators = denominators_at(at);
        let means = means_at(at);
        let p = Sums(exp(s[0] - denominators), exp(s[1] - denominators), exp(s[2] - denominators), exp(s[3] - denominators));
        // Before the sums, which then run beside 16 registers of these instead of 32 of those.
        let ds = Sums(
          p[0] * (e[0] - means) * params.scale, p[1] * (e[1] - means) * params.scale,
          p[2] * (e[2] - means) * params.scale, p[3] * (e[3] - means) * params.scale);
        hold(place, p);
        add_others(&dv, place, Source(path, t, true, params.y_stride, query + window, lanes), sees, count);
        workgroupBarrier();
        hold(place, ds);
        add_others(&dk, place, Source(path, t, false, params.qkv_stride, query + window, lanes), sees, count);
      }
    }
  }
  let keys = slices_of(dk);
  let values = slices_of(dv);
  for (var c = place.group; c < lanes; c += GROUPS) {
    for (var i = 0u; i < 4u && exists[i]; i++) {
      let to = rows[i] * params.qkv_stride + window + c;
      dqkv[to + tile.key] = keys[c / GROUPS][i];
      dqkv[to + tile.value] = values[c / GROUPS][i];
    }
  }
}
