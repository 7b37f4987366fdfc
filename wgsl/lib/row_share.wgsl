// 16 consecutive values held by a subgroup: member i loads the values i % 8 and 8 + i % 8 (`low`, `high`), and broadcasts
// from constant members hand them to all. Subgroups have at least 8 members, all of them active.
enable subgroups;

fn share16(low: f32, high: f32) -> array<vec4<f32>, 4> {
  return array<vec4<f32>, 4>(
    vec4<f32>(subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u)),
    vec4<f32>(subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u)),
    vec4<f32>(subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u)),
    vec4<f32>(subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u)),
  );
}

// Four consecutive values: member i loads the value i % 4.
fn share4(v: f32) -> vec4<f32> {
  return vec4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
