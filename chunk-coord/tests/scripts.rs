//! The wanted set is exact for any script of viewers, at any budget.

mod script;

use proptest::prelude::*;

proptest! {
    #[test]
    fn any_script_agrees_with_brute_force_in_both_planes(
        start in 0..32_u8, bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        script::run(&[&[start | 1], bytes.as_slice()].concat());
    }

    #[test]
    fn any_script_agrees_with_brute_force_in_volumes(
        start in 0..8_u8, bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        script::run(&[&[start * 2], bytes.as_slice()].concat());
    }

    #[test]
    fn long_walks_without_a_limit_stay_exact(
        start in prop::sample::select(vec![0, 1, 17_u8]),
        appear in prop::collection::vec(any::<[u8; 4]>(), 1..=8),
        walk in prop::collection::vec((0..3_u8, any::<[u8; 4]>()), 0..150),
    ) {
        let mut bytes = vec![start];
        for arguments in appear {
            bytes.extend([4].iter().chain(&arguments));
        }
        for (step, arguments) in walk {
            bytes.extend([step].iter().chain(&arguments));
        }
        script::run(&bytes);
    }
}

#[test]
fn the_seeds_of_the_fuzz_target_agree_with_brute_force() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/viewers");
    // A published package does not contain them.
    let Ok(seeds) = std::fs::read_dir(folder) else {
        return;
    };
    for seed in seeds {
        let bytes = std::fs::read(seed.expect("a seed is a file").path()).expect("a readable seed");
        script::run(&bytes);
    }
}
