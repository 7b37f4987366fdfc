// Attention's products for devices with subgroups: an invocation owns four rows or one, and the members of a subgroup share
// rows of the other side, a tile: member i loads rows i % 8, 8 + i % 8, and so on, and hands them round (lib/member). So a
// load, which costs a CPU adapter as much as dozens of multiplications, is worth 128 of them. All loads of a step come
// before its products. Subgroups have at least 8 members, all of them active. Completed by lib/lanes, lib/own_rows and
// lib/member.
enable subgroups;

// Keys of a tile, where it is keys that are shared.
const TILE = 32u;
// One number for each of an invocation's rows.
alias R = vec4<f32>;

// Rows that an invocation owns: 4 or 1. With 1 nothing reads what is said of the others, and compilers drop it.
override OWN: u32 = 4;

// The places of an invocation's rows in its tile.
fn places(lane: u32) -> vec4<u32> {
  return vec4<u32>(OWN * lane) + vec4<u32>(0u, 1u, 2u, 3u);
}

// Which of its rows there are in a tile of `count`.
fn owned(place: vec4<u32>, count: u32) -> vec4<bool> {
  return (place < vec4<u32>(count)) & (vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(OWN));
}

fn last_own(rows: vec4<u32>) -> u32 {
  return select(rows.x, rows.w, OWN > 1u);
}

// One number for each of an invocation's rows and each of eight rows of a tile.
alias Eight = array<R, 8>;

// The products of an invocation's rows with eight rows of a tile, of which each member holds one.
fn add_scores(s: ptr<function, Eight>, own: Own, shared_row: L) {
  let row = four(shared_row);
  (*s)[0] = add_products((*s)[0], own, member0(row));
  (*s)[1] = add_products((*s)[1], own, member1(row));
  (*s)[2] = add_products((*s)[2], own, member2(row));
  (*s)[3] = add_products((*s)[3], own, member3(row));
  (*s)[4] = add_products((*s)[4], own, member4(row));
  (*s)[5] = add_products((*s)[5], own, member5(row));
  (*s)[6] = add_products((*s)[6], own, member6(row));
  (*s)[7] = add_products((*s)[7], own, member7(row));
}

// An invocation's rows, and eight rows of a tile by their weights, in order. Columns that are not finite add nothing (their
// weight may be 0): `spoilt` tells of them.
fn add_rows(own: Own, weights: Eight, shared_row: L) -> Own {
  let row = four(select(L(0.0), shared_row, finite_columns(shared_row)));
  let s0 = add_weighted(own, weights[0], member0(row));
  let s1 = add_weighted(s0, weights[1], member1(row));
  let s2 = add_weighted(s1, weights[2], member2(row));
  let s3 = add_weighted(s2, weights[3], member3(row));
  let s4 = add_weighted(s3, weights[4], member4(row));
  let s5 = add_weighted(s4, weights[5], member5(row));
  let s6 = add_weighted(s5, weights[6], member6(row));
  return add_weighted(s6, weights[7], member7(row));
}

// Whether a column is NaN or infinite. What sees such a row becomes NaN as a whole.
fn spoilt(row: L) -> bool {
  return !all(finite_columns(row));
}

// NaN, which a constant may not be.
fn not_a_number() -> f32 {
  return bitcast<f32>(0x7fc00000u | params.tiles);
}
