#pragma once

/// \file
/// Long calls made of parts.

#include <vecdb/control.h>

#include <algorithm>

namespace vecdb::collection {

/// Return the control of a part of the work, whose progress runs from `begin` to `end` of that of
/// `whole`, which outlives it.
[[nodiscard]] inline Control part_of(const Control& whole, double begin, double end) {
    Control part = whole;
    if (whole.progress) {
        part.progress = [&whole, begin, end](double done) {
            whole.report(begin + (end - begin) * std::clamp(done, 0.0, 1.0));
        };
    }
    return part;
}

}  // namespace vecdb::collection
