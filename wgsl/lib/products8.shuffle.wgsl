// products8.broadcast by shuffles. For lavapipe with 8 members: its broadcasts ask which members are active, its shuffles
// of 8 are one instruction (with another number of members they are slow). All members take part.
fn add_products8(sums: ptr<function, array<vec4<f32>, 8>>, a: vec4<f32>, b: mat4x4<f32>) {
  (*sums)[0] = add_products((*sums)[0], subgroupShuffle(a, 0u), b);
  (*sums)[1] = add_products((*sums)[1], subgroupShuffle(a, 1u), b);
  (*sums)[2] = add_products((*sums)[2], subgroupShuffle(a, 2u), b);
  (*sums)[3] = add_products((*sums)[3], subgroupShuffle(a, 3u), b);
  (*sums)[4] = add_products((*sums)[4], subgroupShuffle(a, 4u), b);
  (*sums)[5] = add_products((*sums)[5], subgroupShuffle(a, 5u), b);
  (*sums)[6] = add_products((*sums)[6], subgroupShuffle(a, 6u), b);
  (*sums)[7] = add_products((*sums)[7], subgroupShuffle(a, 7u), b);
}
