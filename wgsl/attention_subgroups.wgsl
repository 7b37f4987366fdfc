enable subgroups;
// Causal grouped-query attention over a packed forest, as attention.wgsl says; keys and values are shared by subgroup
// broadcasts from constant invocations, which cost nothing on CPU adapters. Subgroups have at least 8 invocations.
//#header lanes
//#include grid
//#include attention_tile
//#include attention_walk

fn share(lane: u32, low: L, high: L) -> array<L, 16> {
  return array<L, 16>(
    subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u),
    subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u),
    subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u),
    subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u),
  );
}
