#pragma once

/// \file
/// Catch2, version 2 or 3, under one name: the macros, Approx, matchers and GENERATE.

#if __has_include(<catch2/catch_all.hpp>)
#    include <catch2/catch_all.hpp>
using Catch::Approx;  // NOLINT(google-global-names-in-headers): as version 2 has it
#else
#    include <catch2/catch.hpp>
#endif
