// lib/attention_walk for invocations that own several rows and share tiles of keys (lib/attention_blocks).

// seen_in for each of the rows.
fn rows_seen_in(walk: Walk, rows: vec4<u32>) -> vec4<u32> {
  let own = (rows >= vec4<u32>(walk.start)) & (rows < vec4<u32>(walk.end));
  return select(vec4<u32>(walk.joint), rows + 1u - walk.path.own, own);
}

// Which eights of the tile that begins at path position t the walk reaches.
fn reached(walk: Walk, t: u32) -> vec4<bool> {
  return vec4<u32>(t) + vec4<u32>(0u, 8u, 16u, 24u) <= vec4<u32>(walk.path.last);
}

// The first path position of a tile's row that is spoilt, or none: a member's rows are at `position` and 8, 16, 24 after it.
fn first_spoilt(position: u32, rows: vec4<bool>) -> u32 {
  let at = select(vec4<u32>(0xffffffffu), vec4<u32>(position) + vec4<u32>(0u, 8u, 16u, 24u), rows);
  return subgroupMin(min(min(at.x, at.y), min(at.z, at.w)));
}
