// A tile of 16 rows held by a subgroup: member i loads the rows i % 8 and 8 + i % 8 (`low`, `high`), and broadcasts from
// constant members hand them to all. Subgroups have at least 8 members, all of them active.
enable subgroups;

fn share(low: L, high: L) -> array<L, 16> {
  return array<L, 16>(
    subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u),
    subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u),
    subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u),
    subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u),
  );
}
