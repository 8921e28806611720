// The fragment shader of `StandardMaterial` with one step added: the base colour is covered by the instance's tint.

#import bevy_pbr::{
    decal::clustered::apply_decals,
    mesh_functions::get_tag,
    pbr_fragment::pbr_input_from_standard_material,
    pbr_functions::alpha_discard,
}

#ifdef PREPASS_PIPELINE
#import bevy_pbr::{
    pbr_deferred_functions::deferred_output,
    prepass_io::{FragmentOutput, VertexOutput},
}
#else
#import bevy_pbr::{
    forward_io::{FragmentOutput, VertexOutput},
    pbr_functions::{apply_pbr_lighting, main_pass_post_lighting_processing},
    pbr_types::STANDARD_MATERIAL_FLAGS_UNLIT_BIT,
}
#endif

#ifdef VISIBILITY_RANGE_DITHER
#import bevy_pbr::pbr_functions::visibility_range_dither;
#endif

fn linear_from_srgb(srgb: vec3<f32>) -> vec3<f32> {
    let dark = srgb / 12.92;
    let bright = pow((srgb + 0.055) / 1.055, vec3(2.4));
    return select(bright, dark, srgb <= vec3(0.04045));
}

// The tag is `Tint::to_bits`: red in the lowest byte, the strength in the highest.
fn tinted(base: vec4<f32>, tag: u32) -> vec4<f32> {
    let tint = unpack4x8unorm(tag);
    return vec4(mix(base.rgb, linear_from_srgb(tint.rgb), tint.a), base.a);
}

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> FragmentOutput {
#ifdef VISIBILITY_RANGE_DITHER
    visibility_range_dither(in.position, in.visibility_range_dither);
#endif

    var pbr_input = pbr_input_from_standard_material(in, is_front);
    pbr_input.material.base_color = tinted(pbr_input.material.base_color, get_tag(in.instance_index));
    pbr_input.material.base_color = alpha_discard(pbr_input.material, pbr_input.material.base_color);
    apply_decals(&pbr_input);

#ifdef PREPASS_PIPELINE
    return deferred_output(in, pbr_input);
#else
    var out: FragmentOutput;
    if (pbr_input.material.flags & STANDARD_MATERIAL_FLAGS_UNLIT_BIT) == 0u {
        out.color = apply_pbr_lighting(pbr_input);
    } else {
        out.color = pbr_input.material.base_color;
    }
    out.color = main_pass_post_lighting_processing(pbr_input, out.color);
    return out;
#endif
}
