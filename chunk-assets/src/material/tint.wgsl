// The tint alone, for a shader of your own: `#import chunk_assets::tint::tinted`.

#define_import_path chunk_assets::tint

#import bevy_pbr::mesh_functions::get_tag

fn linear_from_srgb(srgb: vec3<f32>) -> vec3<f32> {
    let dark = srgb / 12.92;
    let bright = pow((srgb + 0.055) / 1.055, vec3(2.4));
    return select(bright, dark, srgb <= vec3(0.04045));
}

// A linear colour covered by the tint of an instance: `in.instance_index` of the fragment. The tag is `Tint::to_bits`: red
// in the lowest byte, the strength in the highest.
fn tinted(base: vec4<f32>, instance_index: u32) -> vec4<f32> {
    let tint = unpack4x8unorm(get_tag(instance_index));
    return vec4(mix(base.rgb, linear_from_srgb(tint.rgb), tint.a), base.a);
}
