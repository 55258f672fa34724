// Symmetric traceless tensors of rank 2 as five numbers; see src/ops/rank2.rs.

const SECOND = 0.7071067811865476;
const SIXTH = 0.4082482904638630;

// T w.
fn apply(t: array<f32, 5>, w: vec3<f32>) -> vec3<f32> {
    let xy = SECOND * t[0];
    let yz = SECOND * t[1];
    let zx = SECOND * t[2];
    let d = SECOND * t[3];
    let e = SIXTH * t[4];
    return vec3<f32>(
        xy * w.y + zx * w.z + (d - e) * w.x,
        xy * w.x + yz * w.z - (d + e) * w.y,
        yz * w.y + zx * w.x + 2.0 * e * w.z,
    );
}

// The symmetric traceless part of v wᵀ.
fn product(v: vec3<f32>, w: vec3<f32>) -> array<f32, 5> {
    return array<f32, 5>(
        SECOND * (v.x * w.y + v.y * w.x),
        SECOND * (v.y * w.z + v.z * w.y),
        SECOND * (v.z * w.x + v.x * w.z),
        SECOND * (v.x * w.x - v.y * w.y),
        SIXTH * (2.0 * v.z * w.z - v.x * w.x - v.y * w.y),
    );
}

// p a + q b.
fn sum_of_two(p: f32, a: array<f32, 5>, q: f32, b: array<f32, 5>) -> array<f32, 5> {
    return array<f32, 5>(
        p * a[0] + q * b[0], p * a[1] + q * b[1], p * a[2] + q * b[2], p * a[3] + q * b[3],
        p * a[4] + q * b[4],
    );
}

fn dot5(a: array<f32, 5>, b: array<f32, 5>) -> f32 {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] + a[4] * b[4];
}
