// What attention's forward and its gradient for the queries share on CPU adapters with subgroups (lib/attention_blocks):
// invocations own rows of queries, and the tiles that members share are of keys and values. Completed by
// lib/attention_walk_rows and lib/own_held.

// The part that may be held beside the sums.
const QUERY = 1u;

fn query(at: vec4<u32>, d: u32) -> Own {
  return scale_rows(own_of(qkv[at.x + d], qkv[at.y + d], qkv[at.z + d], qkv[at.w + d]), R(params.scale));
}

fn hold_queries(lane: u32, at: vec4<u32>) {
  if (PARTS > QUERY) {
    for (var d = 0u; d < params.lanes; d++) { hold(QUERY, lane, d, query(at, d)); }
  }
}

fn held_query(lane: u32, at: vec4<u32>, d: u32) -> Own {
  var q = Own();
  if (PARTS > QUERY) { q = held(QUERY, lane, d); } else { q = query(at, d); }
  return q;
}

// A member's rows in a tile of keys.
struct Keys {
  // Path position of the first; the others come 8, 16 and 24 after it.
  position: u32,
  rows: vec4<u32>,
  // Which eights the walk reaches.
  some: vec4<bool>,
}

fn keys_at(walk: Walk, t: u32, member: u32) -> Keys {
  let own = t + member % 8u;
  let rows = vec4<u32>(row_at(walk.path, own), row_at(walk.path, own + 8u), row_at(walk.path, own + 16u), row_at(walk.path, own + 24u));
  return Keys(own, rows, reached(walk, t));
}

// One L of each of the member's rows. In narrow tiles eights that the walk doesn't reach aren't loaded.
fn shared_rows(keys: Keys, at: u32) -> array<L, 4> {
  let r0 = qkv[keys.rows.x + at];
  var r1 = L(0.0);
  if (OWN > 1u || keys.some.y) { r1 = qkv[keys.rows.y + at]; }
  var r2 = L(0.0);
  if (OWN > 1u || keys.some.z) { r2 = qkv[keys.rows.z + at]; }
  var r3 = L(0.0);
  if (OWN > 1u || keys.some.w) { r3 = qkv[keys.rows.w + at]; }
  return array<L, 4>(r0, r1, r2, r3);
}

fn spoilt_rows(rows: array<L, 4>) -> vec4<bool> {
  return vec4<bool>(spoilt(rows[0]), spoilt(rows[1]), spoilt(rows[2]), spoilt(rows[3]));
}
