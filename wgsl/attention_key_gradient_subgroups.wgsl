// Attention's gradients for keys and values, as attention_key_gradient.wgsl says, with queries in tiles of 16 that a
// subgroup shares (lib/attention_share). No invocation returns before the walk's end.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_key_gradient
//#include attention_share

// Of 16 rows, of which each member holds a value for two: those of rows 4n .. 4n + 3.
fn share4(low: f32, high: f32) -> array<vec4<f32>, 4> {
  return array<vec4<f32>, 4>(
    vec4<f32>(subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u)),
    vec4<f32>(subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u)),
    vec4<f32>(subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u)),
    vec4<f32>(subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u)),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) member: u32) {
  let index = workgroup_index(workgroup, grid);
  if (index >= params.tiles * kv_heads()) { return; }
  let tile = key_tile_of(index);
  // Invocations without a row follow the last one and write nothing.
  let row = tile.row + min(lane, tile.count - 1u);
  let k_at = row * params.qkv_stride + tile.key;
  let v_at = row * params.qkv_stride + tile.value;
  var started = false;
  for (var r = tile.first_range; r < tile.end_range; r++) {
    let range = ranges[r].xy;
    for (var head = tile.head; head < tile.head + params.group; head++) {
      let query = head * params.lanes;
      for (var t = max(range.x, tile.row); t < range.y; t += 16u) {
        // Rows past the end repeat the last one; they are not seen.
        let low = min(t + member % 8u, range.y - 1u);
        let high = min(t + 8u + member % 8u, range.y - 1u);
        let q_low = low * params.qkv_stride + query;
        let q_high = high * params.qkv_stride + query;
        let g_low = low * params.y_stride + query;
        let g_high = high * params.y_stride + query;
        var s0 = vec4<f32>(0.0);
        var s1 = vec4<f32>(0.0);
        var s2 = vec4<f32>(0.0);
        var s3 = vec4<f32>(0.0);
        var e0 = vec4<f32>(0.0);
        var e1 = vec4<f32>(0.0);
        var e2 = vec4<f32>(0.0);
        var e3 = vec4<f32>(0.0);
        for (var d = 0u; d < params.lanes; d++) {
          let k = qkv[k_at + d] * params.scale;
          let q = share(qkv[q_low + d], qkv[q_high + d]);
          s0 += scores4(k, q[0], q[1], q[2], q[3]);
          s1 += scores4(k, q[4], q[5], q[6], q[7]);
          s2 += scores4(k, q[8], q[9], q[10], q[11]);
          s3 += scores4(k, q[12], q[13], q[14], q[15]);
          let v = qkv[v_at + d];
          let g = share(dy[g_low + d], dy[g_high + d]);
          e0 += scores4(v, g[0], g[1], g[2], g[3]);
          e1 += scores4(v, g[4], g[5], g[6], g[7]);
          e2 += scores4(v, g[8], g[9], g[10], g[11]);
          e3 += scores4(v, g[12], g[13], g[14], g[15]);
        }
        let at_low = low * params.lse_stride + head;
        let at_high = high * params.lse_stride + head;
        let denominators = share4(lse[at_low], lse[at_high]);
        let means = share4(delta[at_low], delta[at_high]);
        let see0 = seen_by(row, t, range.y);
        let see1 = seen_by(row, t + 4u, range.y);
        let see2 = seen_by(row, t + 8u, range.y);
        let see3 = seen_by(row, t + 12u, range.y);
        let p0 = exp(s0 - denominators[0]);
        let p1 = exp(s1 - denominators[1]);
        let p2 = exp(s2 - denominators[2]);
        let p3 = exp(s3 - denominators[3]);
        let ds0 = p0 * (e0 - means[0]) * params.scale;
        let ds1 = p1 * (e1 - means[1]) * params.scale;
        let ds2 = p2 * (e2 - means[2]) * params.scale;
        let ds3 = p3 * (e3 - means[3]) * params.scale;
        for (var d = 0u; d < params.lanes; d++) {
          let q = share(qkv[q_low + d], qkv[q_high + d]);
          let g = share(dy[g_low + d], dy[g_high + d]);
          var dk = L(0.0);
          var dv = L(0.0);
          if (started) {
            dk = dqkv[k_at + d];
            dv = dqkv[v_at + d];
          }
          dk = add4(dk, ds0, see0, q[0], q[1], q[2], q[3]);
          dk = add4(dk, ds1, see1, q[4], q[5], q[6], q[7]);
          dk = add4(dk, ds2, see2, q[8], q[9], q[10], q[11]);
          dk = add4(dk, ds3, see3, q[12], q[13], q[14], q[15]);
          dv = add4(dv, p0, see0, g[0], g[1], g[2], g[3]);
          dv = add4(dv, p1, see1, g[4], g[5], g[6], g[7]);
          dv = add4(dv, p2, see2, g[8], g[9], g[10], g[11]);
          dv = add4(dv, p3, see3, g[12], g[13], g[14], g[15]);
          if (lane < tile.count) {
            dqkv[k_at + d] = dk;
            dqkv[v_at + d] = dv;
          }
        }
        started = true;
      }
    }
  }
  if (lane < tile.count) { pad_row(tile, row); }
}
