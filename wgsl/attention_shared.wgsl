// Causal grouped-query attention over a packed forest, as attention.wgsl says, for GPUs: layout and its reasons in
// lib/attention_shared, for heads of whole vec4s up to 256 columns. Tiles of keys begin at multiples of 32 in path
// position; a row's maximum is taken over the eight invocations that share it, its denominator summed by each over its
// own keys (g, g + 8, ...) and over the eight in order at the end. Longer walks come first: they'd be waited for.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_path
//#include attention_walk
//#include attention_forward
//#include outer
//#include attention_shared
//#include attention_shared_rows

fn matrix_at(from_dy: bool, at: vec4<u32>) -> mat4x4<f32> {
  return mat4x4<f32>(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]);
}

fn vector_at(from_dy: bool, at: u32) -> vec4<f32> {
  return qkv[at];
}

fn highest_seen(scores: vec4<f32>, others: vec4<u32>, end: u32) -> f32 {
  return max4(select(vec4<f32>(LOWEST), scores, others < vec4<u32>(end)));
}

fn weights_seen(scores: vec4<f32>, top: f32, others: vec4<u32>, end: u32) -> vec4<f32> {
  return select(vec4<f32>(0.0), exp(scores - top), others < vec4<u32>(end));
}

// Of what the invocations of a group of rows hold in common: the maximum of all eight, or their sum in order.
fn held_by(rows: u32, group: u32) -> vec4<f32> {
  return weights[group * PITCH + rows];
}

fn common_max(rows: u32) -> vec4<f32> {
  return max(max(max(held_by(rows, 0u), held_by(rows, 1u)), max(held_by(rows, 2u), held_by(rows, 3u))),
    max(max(held_by(rows, 4u), held_by(rows, 5u)), max(held_by(rows, 6u), held_by(rows, 7u))));
}

fn common_sum(rows: u32) -> vec4<f32> {
  var sum = held_by(rows, 0u);
  for (var group = 1u; group < GROUPS; group++) { sum += held_by(rows, group); }
  return sum;
}

fn rescaled(sums: Sums, by: vec4<f32>) -> Sums {
  return Sums(sums[0] * by.x, sums[1] * by.y, sums[2] * by.z, sums[3] * by.w);
}

fn rescale_all(sums: ptr<function, Slices>, by: vec4<f32>) {
  (*sums).s0 = rescaled((*sums).s0, by);
  if (SLICES > 1u) { (*sums).s1 = rescaled((*sums).s1, by); }
  if (SLICES > 2u) {
    (*sums).s2 = rescaled((*sums).s2, by);
    (*sums).s3 = rescaled((*sums).s3, by);
  }
  if (SLICES > 4u) {
    (*sums).s4 = rescaled((*sums).s4, by);
    (*sums).s5 = rescaled((*sums).s5, by);
    (*sums).s6 = rescaled((*sums).s6, by);
    (*sums).s7 = rescaled((*sums).s7, by);
  }
}

// The logarithm of a row's denominator, and zeros behind the last head's. (y has no padding: heads are whole vec4s.)
fn keep_log(row: u32, head: u32, log_sum: f32) {
  if (params.lse_stride == 0u) { return; }
  lse[row * params.lse_stride + head] = log_sum;
  if (head + 1u == params.heads) {
    for (var c = params.heads; c < params.lse_stride; c++) { lse[row * params.lse_stride + c] = 0.0; }
  }
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
  let queries = own_rows(tile, heads, four(4u * stage.group));
  let q_at = queries.row * params.qkv_stride + tile.query + queries.head * params.lanes;
  let others = others_of(place.group);
  var top = vec4<f32>(LOWEST);
  var total = vec4<f32>(0.0);
  var sums = Slices();
  for (var n = tile.first_segment; n < tile.end_segment; n++) {
    let walk = walk_of(tile, n, OTHERS);
    let seen = seen_of(walk, own);
    for (var t = walk.first; t <= walk.path.last; t += OTHERS) {
      let sees = seen_in_tile(seen, t);
      let k_at = keys_at(walk.path, t, others_of(stage.group), tile.key);
      let factor = Factor(false, select(k_at, q_at, stage.of_rows), select(1.0, params.scale, stage.of_rows));
      let s = scores(place, stage, factor, factor, 1u, sees_any(sees)).last;
      weights[place.group * PITCH + place.rows] = vec4<f32>(
        highest_seen(s[0], others, sees.end.x), highest_seen(s[1], others, sees.end.y),
        highest_seen(s[2], others, sees.end.z), highest_seen(s[3], others, sees.end.w));
      workgroupBarrier();
      let next = max(top, common_max(place.rows));
      let kept = select(exp(top - next), vec4<f32>(1.0), top == next);
      let p = Sums(
        weights_seen(s[0], next.x, others, sees.end.x), weights_seen(s[1], next.y, others, sees.end.y),
        weights_seen(s[2], next.z, others, sees.end.z), weights_seen(s[3], next.w, others, sees.end.w));
      total = fma(total, kept, vec4<f32>(sum4(p[0]), sum4(p[1]), sum4(p[2]), sum4(p[3])));
      top = next;
      rescale_all(&sums, kept);
      workgroupBarrier();
      hold(place, p);
      let values = Source(walk.path, t, false, params.qkv_stride, tile.value, params.lanes);
      add_others(&sums, place, values, sees, min(OTHERS, walk.path.last + 1u - t));
    }
  }
  workgroupBarrier();
  weights[place.group * PITCH + place.rows] = total;
  workgroupBarrier();
  let denominator = common_sum(place.rows);
  let slices = slices_of(sums);
  for (var n = 0u; n * GROUPS + place.group < params.lanes; n++) {
    for (var i = 0u; i < 4u && own.exists[i]; i++) {
      let at = own.row[i] * params.y_stride + tile.query + own.head[i] * params.lanes;
      y[at + n * GROUPS + place.group] = slices[n][i] / denominator[i];
    }
  }
  if (place.group > 0u) { return; }
  let log_sums = top + log(denominator);
  for (var i = 0u; i < 4u && own.exists[i]; i++) { keep_log(own.row[i], tile.head + own.head[i], log_sums[i]); }
}
