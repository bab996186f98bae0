// What can be known of the kernels without a GPU: the registers, stack, spills and shared memory that ptxas reported, the
// occupancy that follows for devices by their figures, and the floating-point operations in the PTX that the objects hold.
// A program of the build's tests; it knows nothing of what the kernels compute.
//
//   kernel_evidence budget BUDGETS OBJECT...      fails where a kernel leaves its budget
//   kernel_evidence operations OBJECT...          fails where the PTX holds an operation that does not decide its bits
//   kernel_evidence table BUDGETS OBJECT...       prints docs/kernels.md
//
// Beside OBJECT lies OBJECT.resources, what `nvcc -Xptxas -v` said when it made OBJECT.
#include <cuda_occupancy.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// The figures of one device of each architecture, from NVIDIA's CUDA C++ Programming Guide, "Compute Capabilities".
struct Device {
  const char *name;
  int major, minor;
  int multiprocessors;
  int threads_per_multiprocessor;
  int shared_kib_per_multiprocessor, shared_kib_per_block;
};
constexpr Device devices[] = {
    {"T4", 7, 5, 40, 1024, 64, 64},          {"A100", 8, 0, 108, 2048, 164, 163},
    {"RTX 3090", 8, 6, 82, 1536, 100, 99},   {"RTX 4090", 8, 9, 128, 1536, 100, 99},
    {"H100 SXM", 9, 0, 132, 2048, 228, 227}, {"B200", 10, 0, 148, 2048, 228, 227},
    {"RTX 5090", 12, 0, 170, 1536, 100, 99},
};

// What one kernel may take, on every architecture; no kernel may spill.
struct Budget {
  std::string kernel;  // a name, or its beginning and '*'
  int stack_bytes;
  int shared_bytes;      // static
  int resident_threads;  // of a multiprocessor, at least, as registers and static shared memory allow
};

struct Resources {
  int registers = -1, stack_bytes = 0, spill_bytes = 0, shared_bytes = 0;
};

struct Kernel {
  int threads = 0;                        // the most that a block may have, of __launch_bounds__
  std::map<int, Resources> architecture;  // by compute capability x 10: 75 is sm_75
};
using Kernels = std::map<std::string, Kernel>;

std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The PTX texts that an object's fat binary holds, uncompressed (nvcc --no-compress).
std::vector<std::string> ptx_of(const std::string &object) {
  const std::string bytes = contents(object);
  std::vector<std::string> texts;
  const std::string begin = "\n.version ";
  for (size_t at = bytes.find(begin); at != std::string::npos; at = bytes.find(begin, at + 1))
    texts.push_back(bytes.substr(at, bytes.find('\0', at) - at));
  return texts;
}

// Adds what ptxas reported of one object's kernels.
void read_resources(const std::string &object, Kernels &kernels) {
  static const std::regex entry("Compiling entry function '([^']+)' for 'sm_(\\d+)a?'");
  static const std::regex frame("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  static const std::regex used("Used (\\d+) registers");
  static const std::regex stack("(\\d+) bytes cumulative stack size");
  static const std::regex shared("(\\d+) bytes smem");
  std::istringstream lines(contents(object + ".resources"));
  Resources *resources = nullptr;
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, match, entry)) {
      resources = &kernels[match[1]].architecture[std::stoi(match[2])];
    } else if (resources != nullptr && std::regex_search(line, match, frame)) {
      resources->stack_bytes = std::max(resources->stack_bytes, std::stoi(match[1]));
      resources->spill_bytes += std::stoi(match[2]) + std::stoi(match[3]);
    } else if (resources != nullptr && std::regex_search(line, match, used)) {
      resources->registers = std::stoi(match[1]);
      if (std::regex_search(line, match, shared)) resources->shared_bytes = std::stoi(match[1]);
      if (std::regex_search(line, match, stack)) resources->stack_bytes = std::stoi(match[1]);
    }
  }
}

Kernels read_kernels(const std::vector<std::string> &objects) {
  static const std::regex head("\\.entry ([A-Za-z0-9_$]+)\\(");
  static const std::regex threads("\\.maxntid (\\d+)");
  Kernels kernels;
  for (const std::string &object : objects) {
    read_resources(object, kernels);
    for (const std::string &text : ptx_of(object)) {
      std::istringstream lines(text);
      Kernel *kernel = nullptr;
      std::smatch match;
      for (std::string line; std::getline(lines, line);)
        if (std::regex_search(line, match, head))
          kernel = &kernels[match[1]];
        else if (kernel != nullptr && line.rfind(".maxntid", 0) == 0 && std::regex_search(line, match, threads))
          kernel->threads = std::stoi(match[1]);
    }
  }
  if (kernels.empty()) throw std::runtime_error("no kernel was found: this program no longer understands ptxas");
  for (const auto &[name, kernel] : kernels) {
    if (kernel.threads == 0)
      throw std::runtime_error(name + ": no .maxntid was found in its PTX; write it with SWARMGRAD_KERNEL");
    if (kernel.architecture.empty()) throw std::runtime_error(name + ": ptxas reported nothing of it");
    for (const auto &[architecture, resources] : kernel.architecture)
      if (resources.registers < 0) throw std::runtime_error(name + ": ptxas reported no registers");
  }
  return kernels;
}

std::vector<Budget> read_budgets(const std::string &path) {
  std::istringstream lines(contents(path));
  std::vector<Budget> budgets;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Budget budget;
    if (!(words >> budget.kernel >> budget.stack_bytes >> budget.shared_bytes >> budget.resident_threads))
      throw std::runtime_error(path + ": '" + line + "' is not: kernel, stack, static shared memory, resident threads");
    budgets.push_back(budget);
  }
  return budgets;
}

bool covers(const Budget &budget, const std::string &kernel) {
  if (budget.kernel.back() != '*') return budget.kernel == kernel;
  return kernel.compare(0, budget.kernel.size() - 1, budget.kernel, 0, budget.kernel.size() - 1) == 0;
}

const Budget &budget_of(const std::vector<Budget> &budgets, const std::string &kernel) {
  const auto found =
      std::find_if(budgets.begin(), budgets.end(), [&](const Budget &budget) { return covers(budget, kernel); });
  if (found == budgets.end()) throw std::runtime_error(kernel + " has no budget; give it a line in cuda/budgets.txt");
  return *found;
}

const Device &device_of(int architecture) {
  for (const Device &device : devices)
    if (device.major * 10 + device.minor == architecture) return device;
  throw std::runtime_error("no device of sm_" + std::to_string(architecture) + " is known to kernel_evidence.cpp");
}

// Threads that a multiprocessor holds at once of blocks of the greatest size, without dynamic shared memory.
int resident_threads(const Kernel &kernel, const Resources &resources, const Device &device) {
  cudaOccDeviceProp properties;
  properties.computeMajor = device.major;
  properties.computeMinor = device.minor;
  properties.maxThreadsPerBlock = 1024;
  properties.maxThreadsPerMultiprocessor = device.threads_per_multiprocessor;
  properties.regsPerBlock = properties.regsPerMultiprocessor = 65536;
  properties.warpSize = 32;
  properties.sharedMemPerBlock = size_t{48} << 10;
  properties.sharedMemPerMultiprocessor = static_cast<size_t>(device.shared_kib_per_multiprocessor) << 10;
  properties.sharedMemPerBlockOptin = static_cast<size_t>(device.shared_kib_per_block) << 10;
  properties.reservedSharedMemPerBlock = properties.sharedMemPerMultiprocessor - properties.sharedMemPerBlockOptin;
  properties.numSms = device.multiprocessors;
  cudaOccFuncAttributes attributes;
  attributes.maxThreadsPerBlock = kernel.threads;
  attributes.numRegs = resources.registers;
  attributes.sharedSizeBytes = static_cast<size_t>(resources.shared_bytes);
  attributes.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  attributes.maxDynamicSharedSizeBytes = properties.sharedMemPerBlockOptin;
  attributes.numBlockBarriers = 1;
  const cudaOccDeviceState state;
  cudaOccResult result;
  const cudaOccError error =
      cudaOccMaxActiveBlocksPerMultiprocessor(&result, &properties, &attributes, &state, kernel.threads, 0);
  if (error != CUDA_OCC_SUCCESS)
    throw std::runtime_error(std::string("cuda_occupancy.h answers ") + std::to_string(error) + " for " + device.name);
  return result.activeBlocksPerMultiprocessor * kernel.threads;
}

int check_budgets(const Kernels &kernels, const std::vector<Budget> &budgets) {
  int faults = 0;
  const auto at_most = [&](const std::string &where, const char *what, int found, int allowed) {
    if (found <= allowed) return;
    std::printf("%s: %d bytes of %s; allowed: %d\n", where.c_str(), found, what, allowed);
    ++faults;
  };
  int checked = 0;
  for (const auto &[name, kernel] : kernels) {
    const Budget &budget = budget_of(budgets, name);
    for (const auto &[architecture, resources] : kernel.architecture) {
      const std::string where = name + " on sm_" + std::to_string(architecture);
      at_most(where, "spills", resources.spill_bytes, 0);
      at_most(where, "stack", resources.stack_bytes, budget.stack_bytes);
      at_most(where, "static shared memory", resources.shared_bytes, budget.shared_bytes);
      const int resident = resident_threads(kernel, resources, device_of(architecture));
      if (resident < budget.resident_threads) {
        std::printf("%s: %d registers leave room for %d threads on a multiprocessor; at least: %d\n", where.c_str(),
                    resources.registers, resident, budget.resident_threads);
        ++faults;
      }
      ++checked;
    }
  }
  for (const Budget &budget : budgets)
    if (std::none_of(kernels.begin(), kernels.end(), [&](const auto &k) { return covers(budget, k.first); })) {
      std::printf("cuda/budgets.txt has a line for %s, which is no kernel\n", budget.kernel.c_str());
      ++faults;
    }
  std::printf("%d kernels on %d architectures in all, %d faults\n", static_cast<int>(kernels.size()), checked, faults);
  return faults;
}

// Whether an instruction on floating-point numbers gives one answer on every device and on a CPU: correctly rounded (.rn),
// or exact, as min and max are, into which nvcc turns a select where a NaN and the sign of zero come out the same. An add
// without .rn is one that ptxas may join with a multiplication.
bool decides_its_bits(const std::string &instruction) {
  static const std::regex allowed(
      "(add|sub|mul|fma|div|rcp|sqrt)\\.rn\\.f(32|64)"
      "|(neg|abs|copysign|min|max)\\.f(32|64)"
      "|setp?\\.[a-z.]*f(32|64)|selp\\.f(32|64)|slct\\.[a-z0-9.]*|testp\\.[a-z]+\\.f(32|64)"
      "|cvt\\.rn\\.f(32|64)\\.[suf](8|16|32|64)|cvt\\.f64\\.f32|cvt\\.rzi\\.[su](32|64)\\.f(32|64)"
      "|mov\\.f(32|64)|(ld|st)\\.[a-z0-9:_.]*f(32|64)|(atom|red)\\.[a-z_.]*exch\\.[a-z0-9.]*");
  return std::regex_match(instruction, allowed);
}

int check_operations(const std::vector<std::string> &objects) {
  static const std::regex opcode("^\\s*(?:@!?%p\\d+\\s+)?([a-z][a-z0-9_]*(?:[.:]+[a-zA-Z0-9_]+)+)\\s");
  static const std::regex floating("[.](e[45]m[0-9]+|b?f16(x2)?|tf32|f32(x2)?|f64|ftz|approx|full)([.]|$)");
  std::map<std::string, int> count;
  std::map<std::string, std::string> example;
  int texts = 0;
  for (const std::string &object : objects)
    for (const std::string &text : ptx_of(object)) {
      ++texts;
      std::istringstream lines(text);
      std::smatch match;
      for (std::string line; std::getline(lines, line);) {
        if (!std::regex_search(line, match, opcode)) continue;
        const std::string instruction = match[1];
        if (!std::regex_search(instruction, floating)) continue;
        if (count[instruction]++ == 0) example[instruction] = object + ": " + line;
      }
    }
  if (count.empty()) throw std::runtime_error("the objects hold no PTX with floating-point operations");
  int faults = 0;
  for (const auto &[instruction, times] : count) {
    const bool good = decides_its_bits(instruction);
    std::printf("%9d  %s%s\n", times, instruction.c_str(), good ? "" : "   NOT ALLOWED");
    if (good) continue;
    std::printf("           for example %s\n", example[instruction].c_str());
    ++faults;
  }
  std::printf("%d PTX texts, %d operations that are not allowed\n", texts, faults);
  return faults;
}

void print_table(const Kernels &kernels, const std::vector<Budget> &budgets) {
  std::set<int> architectures;
  for (const auto &[name, kernel] : kernels)
    for (const auto &[architecture, resources] : kernel.architecture) architectures.insert(architecture);
  std::printf(
      "# What the kernels take\n\n"
      "Written by `cmake --build build/cuda --target kernel_table` from what ptxas reports. Under an architecture stand the\n"
      "registers of a thread, and how much of a multiprocessor's threads are resident at once (`cuda_occupancy.h`) in blocks\n"
      "of the most threads that the kernel may have, as registers and static shared memory allow. What a launch adds in\n"
      "dynamic shared memory, and how that limits the blocks, is in `cuda/layout.h` and `cuda/rollout.h`. Stack and static\n"
      "shared memory are in bytes, the most on any architecture, of the budget in `cuda/budgets.txt`; no kernel may spill. The\n"
      "test `kernel_budgets` fails when a kernel leaves its budget.\n\n"
      "| architecture | device | multiprocessors | threads each | shared memory each, KiB | a block, KiB |\n"
      "| --- | --- | --: | --: | --: | --: |\n");
  for (const Device &device : devices)
    if (architectures.count(device.major * 10 + device.minor) != 0)
      std::printf("| sm_%d%d | %s | %d | %d | %d | %d |\n", device.major, device.minor, device.name,
                  device.multiprocessors, device.threads_per_multiprocessor, device.shared_kib_per_multiprocessor,
                  device.shared_kib_per_block);
  std::printf("\n");
  std::printf("| kernel | threads | stack | shared |");
  for (const int architecture : architectures) std::printf(" sm_%d |", architecture);
  std::printf("\n| --- | --: | --: | --: |");
  for (size_t k = 0; k < architectures.size(); ++k) std::printf(" --: |");
  std::printf("\n");
  for (const auto &[name, kernel] : kernels) {
    int stack = 0, shared = 0;
    for (const auto &[architecture, resources] : kernel.architecture) {
      stack = std::max(stack, resources.stack_bytes);
      shared = std::max(shared, resources.shared_bytes);
    }
    const Budget &budget = budget_of(budgets, name);
    std::printf("| `%s` | %d | %d of %d | %d of %d |", name.c_str(), kernel.threads, stack, budget.stack_bytes, shared,
                budget.shared_bytes);
    for (const int architecture : architectures) {
      const auto found = kernel.architecture.find(architecture);
      if (found == kernel.architecture.end())
        throw std::runtime_error(name + " was not compiled for every architecture");
      const Device &device = device_of(architecture);
      std::printf(" %d, %d%% |", found->second.registers,
                  100 * resident_threads(kernel, found->second, device) / device.threads_per_multiprocessor);
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int count, char **words) try {
  const std::vector<std::string> arguments(words + 1, words + count);
  const std::string command = arguments.empty() ? "" : arguments[0];
  if (command == "operations" && count > 2)
    return check_operations({arguments.begin() + 1, arguments.end()}) == 0 ? 0 : 1;
  if ((command != "budget" && command != "table") || count < 4)
    throw std::runtime_error("usage: kernel_evidence budget|table BUDGETS OBJECT... or operations OBJECT...");
  const std::vector<Budget> budgets = read_budgets(arguments[1]);
  const Kernels kernels = read_kernels({arguments.begin() + 2, arguments.end()});
  if (command == "budget") return check_budgets(kernels, budgets) == 0 ? 0 : 1;
  print_table(kernels, budgets);
  return 0;
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
