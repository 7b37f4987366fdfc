// max(0, 1 - z), z = r_w - r_l - margin: SLiC-HF's calibration loss, Zhao et al. 2023, arXiv 2305.10425; on log-ratios,
// Liu et al. 2023, arXiv 2309.06657. The slope at z = 1 is 0.
fn hinge(z: f32) -> vec2<f32> {
  return vec2<f32>(max(1.0 - z, 0.0), select(0.0, -1.0, z < 1.0));
}

fn pair_loss(w: f32, l: f32, margin: f32, p: f32) -> vec3<f32> {
  let z = w - l - margin;
  return expected_of_difference(p, hinge(z), hinge(-z));
}
