// What a member of a subgroup, one of the first 8, holds, handed round to all: they all take part. By shuffles, for lavapipe
// with 8 members: its broadcasts ask which members are active, its shuffles of 8 are one instruction (but slow with
// another number of members).
fn member0(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 0u); }
fn member1(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 1u); }
fn member2(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 2u); }
fn member3(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 3u); }
fn member4(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 4u); }
fn member5(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 5u); }
fn member6(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 6u); }
fn member7(v: vec4<f32>) -> vec4<f32> { return subgroupShuffle(v, 7u); }
