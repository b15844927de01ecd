// Names of parameters, for test names (letters, digits and underscores) and messages.
#pragma once

#include <string>

#include "kernels/backend.h"

namespace impasto::testing_support {

inline std::string name(Shape s) { return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w); }

inline std::string name(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kNone:
      return "None";
    case Epilogue::kRelu:
      return "Relu";
    case Epilogue::kReluMaxPool:
      return "ReluMaxPool";
    case Epilogue::kReluAveragePool:
      return "ReluAveragePool";
  }
  return "unknown";
}

inline std::string name(PoolKind kind) { return kind == PoolKind::kMax ? "Max" : "Average"; }

inline bool pools(Epilogue epilogue) { return epilogue == Epilogue::kReluMaxPool || epilogue == Epilogue::kReluAveragePool; }

// Names the parameter of a parametrised test.
struct ParameterName {
  template <class Parameter>
  std::string operator()(const Parameter& parameter) const {
    return name(parameter.param);
  }
};

}  // namespace impasto::testing_support
