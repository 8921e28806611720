//! x

pub mod city;
