//! The program's allocator, which counts the bytes in use.

use std::alloc::System;

use cap::Cap;

/// The system's allocator with a counter, and no limit. The counter costs one atomic addition an allocation and finds
/// memory that grows to the byte, whatever the allocator keeps for later.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that are allocated now.
pub(crate) fn live_bytes() -> u64 {
    ALLOCATOR.allocated() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_counted_until_it_is_freed() {
        const BIG: u64 = 256 << 20;
        let before = live_bytes();
        let big: Vec<u8> = Vec::with_capacity(BIG as usize);
        let during = live_bytes();
        drop(big);
        // Other tests allocate meanwhile, but not that much.
        assert!(during >= before + BIG / 2, "{before} {during}");
        assert!(live_bytes() <= during - BIG / 2, "{during}");
    }
}
