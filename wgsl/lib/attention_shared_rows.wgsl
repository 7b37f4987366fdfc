// The rows of a workgroup that owns queries, for lib/attention_shared: those of a tile for one query head, then the same
// for further heads of its group, as many as fit. So short tiles fill a workgroup, and keys and values are loaded once
// for all of these heads.

// How many query heads the workgroup of this head does; 0 where another one does it.
fn heads_of(tile: Tile) -> u32 {
  let fit = min(params.group, ROWS / tile.count);
  let member = tile.head % params.group;
  return select(min(fit, params.group - member), 0u, member % fit > 0u);
}

// Of rows i of a workgroup: row in the batch, which head after the tile's, and whether there is one. Places past the last
// repeat it (so that a group of rows sees the same as far as possible), and are not stored.
struct Own {
  row: vec4<u32>,
  head: vec4<u32>,
  exists: vec4<bool>,
}

fn own_rows(tile: Tile, heads: u32, i: vec4<u32>) -> Own {
  let n = tile.count * heads;
  let place = min(i, vec4<u32>(n - 1u));
  return Own(tile.row + place % tile.count, place / tile.count, i < vec4<u32>(n));
}

// How many path positions each row sees in a walk. Groups without a row see nothing, so they compute nothing.
fn seen_of(walk: Walk, own: Own) -> vec4<u32> {
  let seen = vec4<u32>(seen_in(walk, own.row.x), seen_in(walk, own.row.y), seen_in(walk, own.row.z), seen_in(walk, own.row.w));
  return select(vec4<u32>(0u), seen, own.exists.x);
}

// Those of them that lie in the tile of keys from path position t on.
fn seen_in_tile(seen: vec4<u32>, t: u32) -> Seen {
  return Seen(vec4<u32>(0u), min(max(seen, vec4<u32>(t)) - t, vec4<u32>(OTHERS)));
}

// Where 4 keys or values of a tile begin.
fn keys_at(path: Path, first: u32, others: vec4<u32>, column: u32) -> vec4<u32> {
  let p = first + others;
  return vec4<u32>(row_of(path, p.x), row_of(path, p.y), row_of(path, p.z), row_of(path, p.w)) * params.qkv_stride + column;
}
