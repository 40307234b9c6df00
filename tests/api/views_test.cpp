#include "support/catch.h"

#include <vecdb/views.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace vecdb {
namespace {

TEST_CASE("a vector view knows its elements") {
    const std::vector<float> floats = {1, 2, 3};
    const VectorView view = floats;
    CHECK(view.data() == floats.data());
    CHECK(view.dim() == 3);
    CHECK(view.type() == ElementType::kFloat32);
    CHECK(VectorView(std::span<const float>(floats)).dim() == 3);
    CHECK(VectorView().dim() == 0);
    CHECK(VectorView().data() == nullptr);
}

TEST_CASE("the element type follows from the C++ type") {
    const std::vector<Float16> halves(2);
    const std::vector<BFloat16> brains(2);
    const std::vector<std::int8_t> bytes(2);
    CHECK(VectorView(halves).type() == ElementType::kFloat16);
    CHECK(VectorView(brains).type() == ElementType::kBFloat16);
    CHECK(VectorView(bytes).type() == ElementType::kInt8);
    CHECK(MatrixView(bytes, 1).type() == ElementType::kInt8);
    CHECK(MatrixView(halves, 1).stride_bytes() == 2);
}

TEST_CASE("views of temporaries and of unknown types do not compile") {
    CHECK(std::is_constructible_v<VectorView, const std::vector<float>&>);
    CHECK_FALSE(std::is_constructible_v<VectorView, std::vector<float>&&>);
    CHECK_FALSE(std::is_constructible_v<MatrixView, std::vector<float>&&, std::size_t>);
    CHECK_FALSE(std::is_constructible_v<VectorView, const std::vector<double>&>);
    CHECK_FALSE(std::is_constructible_v<VectorView, const double*, std::size_t>);
}

TEST_CASE("a matrix view of packed rows finds each row") {
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    const MatrixView view(values, 2);
    CHECK(view.rows() == 3);
    CHECK(view.dim() == 2);
    CHECK(view.stride_bytes() == 8);
    CHECK(view.row<float>(0)[0] == 1.0F);
    CHECK(view.row<float>(2)[1] == 6.0F);
}

TEST_CASE("a remainder of elements is not seen and dimension 0 has no rows") {
    const std::vector<float> values = {1, 2, 3, 4, 5};
    CHECK(MatrixView(values, 2).rows() == 2);
    CHECK(MatrixView(values, 0).rows() == 0);
    CHECK(MatrixView(values, 6).rows() == 0);
    CHECK(MatrixView().rows() == 0);
}

TEST_CASE("rows may be farther apart than they are long") {
    const std::vector<float> values = {1, 2, -1, 3, 4, -1, 5, 6};
    const MatrixView view(values.data(), 3, 2, 3);
    CHECK(view.stride_bytes() == 12);
    CHECK(view.row<float>(1)[0] == 3.0F);
    CHECK(view.row<float>(2)[1] == 6.0F);
}

TEST_CASE("a slice keeps stride, dimension and type") {
    const std::vector<float> values = {1, 2, -1, 3, 4, -1, 5, 6};
    const MatrixView view(values.data(), 3, 2, 3);
    const MatrixView part = view.slice(1, 2);
    CHECK(part.rows() == 2);
    CHECK(part.dim() == 2);
    CHECK(part.stride_bytes() == 12);
    CHECK(part.type() == ElementType::kFloat32);
    CHECK(part.row<float>(0)[1] == 4.0F);
    CHECK(part.row<float>(1)[0] == 5.0F);
    CHECK(view.slice(3, 0).rows() == 0);
    CHECK(part.slice(1, 1).row<float>(0)[0] == 5.0F);
}

TEST_CASE("one vector is a matrix of one row") {
    const std::vector<float> values = {1, 2, 3};
    const MatrixView view = VectorView(values);
    CHECK(view.rows() == 1);
    CHECK(view.dim() == 3);
    CHECK(view.row<float>(0) == values.data());
}

TEST_CASE("bits take an eighth of a byte, rounded up per row") {
    const std::vector<std::uint8_t> bytes(6);
    const VectorView one = VectorView::bits(bytes.data(), 9);
    CHECK(one.type() == ElementType::kBit);
    CHECK(one.dim() == 9);
    CHECK(one.data() == bytes.data());
    const MatrixView rows = MatrixView::bits(bytes.data(), 3, 9);
    CHECK(rows.rows() == 3);
    CHECK(rows.dim() == 9);
    CHECK(rows.stride_bytes() == 2);
    CHECK(rows.type() == ElementType::kBit);
    CHECK(rows.slice(1, 1).data() == bytes.data() + 2);
}

TEST_CASE("views work in constant expressions") {
    static constexpr float kValues[] = {1.0F, 2.0F, 3.0F, 4.0F};
    constexpr MatrixView view(kValues, 2, 2);
    static_assert(view.rows() == 2 && view.dim() == 2 && view.stride_bytes() == 8);
    static_assert(VectorView(kValues, 4).dim() == 4);
    CHECK(view.row<float>(1)[1] == 4.0F);
}

}  // namespace
}  // namespace vecdb
