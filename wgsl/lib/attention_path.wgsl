// The tile of query rows that a workgroup owns, and the way from a path position to its row. Completed by
// lib/attention_tile and by bindings named tiles and segments.

// Consecutive rows of one query head, of one segment or of several children of one parent; offsets in L.
// Workgroup-uniform.
struct Tile {
  row: u32,
  count: u32,
  first_segment: u32,
  end_segment: u32,
  head: u32,
  query: u32,
  key: u32,
  value: u32,
}

fn tile_of(index: u32) -> Tile {
  let head = index % params.heads;
  let a = tiles[index / params.heads];
  let kv = (head / params.group) * params.lanes;
  return Tile(a.x, a.y, a.z, a.w, head, head * params.lanes, params.keys + kv, params.values + kv);
}

// A segment's path as far as one of its rows sees it.
struct Path {
  parent_start: u32,
  parent_length: u32,
  // Row of path position p outside of the parent: own + p (modulo 2^32).
  own: u32,
  // Path position of the row.
  last: u32,
}

// `segment` as in the table: parent's start, parent's length, start, length.
fn path_to(segment: vec4<u32>, row: u32) -> Path {
  let own = segment.z - segment.y;
  return Path(segment.x, segment.y, own, row - own);
}

// Where the row of path position `p` begins in qkv. Positions after the last one are never added: any row will do.
fn row_at(path: Path, p: u32) -> u32 {
  let seen = min(p, path.last);
  return select(path.own + seen, path.parent_start + seen, seen < path.parent_length) * params.qkv_stride;
}

// Which of the path positions p .. p + 3 a row sees that sees the first `seen` ones.
fn sees(seen: u32, p: u32) -> vec4<bool> {
  return vec4<u32>(p) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(seen);
}
