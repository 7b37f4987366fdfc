// What a member of a subgroup, one of the first 8, holds, handed round to all: they all take part.
fn member0(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 0u); }
fn member1(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 1u); }
fn member2(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 2u); }
fn member3(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 3u); }
fn member4(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 4u); }
fn member5(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 5u); }
fn member6(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 6u); }
fn member7(v: vec4<f32>) -> vec4<f32> { return subgroupBroadcast(v, 7u); }
