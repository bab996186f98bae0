// An engine library: found, loaded and checked once, and how its failures become exceptions. That
// it
// cannot be loaded is a value with a message, so that it can be tested and shown.
package org.swarmgrad.internal;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.swarmgrad.LibraryException;

/**
 * A loaded library.
 *
 * @param functions that swarmgrad.h declares
 * @param path of its file
 */
@SuppressWarnings("restricted") // loading native code is what this class is for
public record NativeLibrary(NativeFunctions functions, String path) {
  static final int ABI_VERSION = 4;

  /** The libraries that implement swarmgrad.h, one a backend. */
  enum Kind {
    CPU("swarmgrad_cpu", "org.swarmgrad.library", "build it with ./swarmgrad"),
    CUDA(
        "swarmgrad_cuda",
        "org.swarmgrad.library.cuda",
        "add the artifact org.swarmgrad:swarmgrad with classifier linux-x86_64-cuda, or build it"
            + " with ./swarmgrad where a driver and nvcc are installed");

    private final String library;
    private final String property;
    private final String advice;

    /**
     * A library.
     *
     * @param property system property: path of an installed library to use in place of the one on
     *     the class path
     */
    Kind(String library, String property, String advice) {
      this.library = library;
      this.property = property;
      this.advice = advice;
    }

    private String remedy() {
      return "; " + advice + ", or set -D" + property + " to the path of an installed library";
    }

    private Result load() {
      return NativeLibrary.load(this, System.getProperty(property), Loader.getPlatform());
    }

    @Override
    public String toString() {
      return this == CPU ? "CPU" : "CUDA";
    }
  }

  /** Outcome of loading: either a library, or a message that says what was found and what to do. */
  sealed interface Result permits Loaded, Failed {}

  record Loaded(NativeLibrary library) implements Result {}

  record Failed(String message) implements Result {}

  /** Each is loaded when it is first asked for; constants, so that calls through them are fast. */
  private static final class Cpu {
    static final Result RESULT = Kind.CPU.load();
  }

  private static final class Cuda {
    static final Result RESULT = Kind.CUDA.load();
  }

  private static final int ELF_MAGIC = 0x464C457F;
  private static final int ELF_HEADER_BYTES = 64;

  /** The CPU engine's library, which also holds the catalogue and the simulator. */
  public static NativeLibrary cpu() {
    return require(Cpu.RESULT);
  }

  /** The CUDA engine's library, which may be there without a device. */
  public static NativeLibrary cuda() {
    return require(Cuda.RESULT);
  }

  /** Why the CPU engine's library could not be loaded, empty where it was. */
  public static Optional<String> cpuFailure() {
    return failure(Cpu.RESULT);
  }

  /** Why the CUDA engine's library could not be loaded, empty where it was. */
  public static Optional<String> cudaFailure() {
    return failure(Cuda.RESULT);
  }

  private static NativeLibrary require(Result result) {
    return switch (result) {
      case Loaded loaded -> loaded.library;
      case Failed failed -> throw new LibraryException(failed.message);
    };
  }

  private static Optional<String> failure(Result result) {
    return result instanceof Failed failed ? Optional.of(failed.message) : Optional.empty();
  }

  /** Makes a call that returns a swarmgrad_status; one that is no success becomes an exception. */
  void check(Calls.StatusCall call) {
    int status = Calls.value(call::run);
    if (status != 0) {
      throw Calls.failure(status, lastError());
    }
  }

  private String lastError() {
    return Calls.value(() -> Layouts.string((MemorySegment) functions.lastError().invokeExact()));
  }

  /** Loads from `path`, or, where it is null, from the class path for `platform`. */
  static Result load(Kind kind, String path, String platform) {
    if (path != null) {
      Path file = Path.of(path);
      if (!Files.isRegularFile(file)) {
        return new Failed("-D" + kind.property + "=" + path + " names no file" + kind.remedy());
      }
      return link(kind, file.toAbsolutePath());
    }
    String resource = platform + "/lib" + kind.library + ".so";
    try {
      File file = Loader.cacheResource(NativeLibrary.class, "/" + resource);
      if (file == null) {
        return new Failed(
            "the class path holds no "
                + kind
                + " engine for this platform ("
                + resource
                + ")"
                + kind.remedy());
      }
      // To JavaCPP a cached file of the same size and time is the same file. But the jar's times
      // are
      // fixed, and linkers round sizes up: another build would go unnoticed.
      if (!isCopy(file.toPath(), "/" + resource)) {
        Files.deleteIfExists(file.toPath()); // another process may have done it
        file = Loader.cacheResource(NativeLibrary.class, "/" + resource);
      }
      return link(kind, file.toPath().toAbsolutePath());
    } catch (IOException | RuntimeException failure) {
      return new Failed(
          "the "
              + kind
              + " engine's library "
              + resource
              + " cannot be unpacked: "
              + reason(failure)
              + kind.remedy());
    }
  }

  private static boolean isCopy(Path file, String resource) throws IOException {
    try (InputStream original = NativeLibrary.class.getResourceAsStream(resource)) {
      return Arrays.equals(original.readAllBytes(), Files.readAllBytes(file));
    }
  }

  private static Result link(Kind kind, Path file) {
    try {
      Optional<String> damage = damage(file);
      if (damage.isPresent()) {
        return new Failed(
            "the "
                + kind
                + " engine's library "
                + file
                + " cannot be loaded: "
                + damage.get()
                + kind.remedy());
      }
      return link(kind, SymbolLookup.libraryLookup(file, Arena.global()), file.toString());
    } catch (IOException | IllegalArgumentException failure) {
      return new Failed(
          "the "
              + kind
              + " engine's library "
              + file
              + " cannot be loaded: "
              + reason(failure)
              + kind.remedy());
    } catch (IllegalCallerException failure) {
      return new Failed(
          "Java may not load the "
              + kind
              + " engine's library: "
              + reason(failure)
              + "; start Java with --enable-native-access=ALL-UNNAMED");
    }
  }

  /**
   * What is wrong with a file that the system's loader would crash on: one cut short kills the
   * process in dlopen.
   */
  static Optional<String> damage(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      return Optional.of("this user may not read it");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer header = ByteBuffer.allocate(ELF_HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      if (channel.read(header, 0) < ELF_HEADER_BYTES || header.getInt(0) != ELF_MAGIC) {
        return Optional.of("it is no 64-bit ELF shared library");
      }
      // The section table ends the file: offset + entry size x entries.
      long end = header.getLong(0x28) + (long) header.getShort(0x3A) * header.getShort(0x3C);
      return end > channel.size()
          ? Optional.of("it is cut short, " + channel.size() + " of " + end + " bytes are there")
          : Optional.empty();
    }
  }

  /** Resolves every function and compares ABI version and struct sizes. */
  static Result link(Kind kind, SymbolLookup symbols, String path) {
    List<String> missing = new ArrayList<>();
    RecordComponent[] components = NativeFunctions.class.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] handles = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      NativeSignature signature = components[i].getAnnotation(NativeSignature.class);
      Optional<MemorySegment> symbol = symbols.find(signature.name());
      if (symbol.isEmpty()) {
        missing.add(signature.name());
      } else {
        handles[i] = Linker.nativeLinker().downcallHandle(symbol.get(), descriptor(signature));
      }
      types[i] = MethodHandle.class;
    }
    if (!missing.isEmpty()) {
      return new Failed(
          "the "
              + kind
              + " engine's library "
              + path
              + " lacks "
              + some(missing)
              + ": it is another version, or no engine"
              + kind.remedy());
    }
    try {
      NativeFunctions functions =
          NativeFunctions.class.getDeclaredConstructor(types).newInstance(handles);
      int version = (int) functions.abiVersion().invokeExact();
      if (version != ABI_VERSION) {
        return new Failed(
            "the "
                + kind
                + " engine's library "
                + path
                + " has ABI version "
                + version
                + ", this jar needs "
                + ABI_VERSION
                + kind.remedy());
      }
      Optional<String> difference = compareSizes(functions);
      if (difference.isPresent()) {
        return new Failed(
            "the "
                + kind
                + " engine's library "
                + path
                + " does not fit this jar: "
                + difference.get()
                + kind.remedy());
      }
      if (kind == Kind.CUDA && runsOnCpu(functions)) {
        return new Failed(path + " is the CPU engine's library" + kind.remedy());
      }
      return new Loaded(new NativeLibrary(functions, path));
    } catch (Throwable failure) {
      throw new AssertionError("the binding of " + path + " failed", failure);
    }
  }

  private static String some(List<String> names) {
    return names.size() <= 3
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 3)) + " and " + (names.size() - 3) + " more functions";
  }

  /** The libraries differ in their devices only: a CPU has no compute capability. */
  private static boolean runsOnCpu(NativeFunctions functions) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = Layouts.allocate(arena, Layouts.DEVICE_INFO);
      return (int) functions.device().invokeExact(0, info) == 0
          && Layouts.getInt(Layouts.DEVICE_INFO, info, "compute_major") == 0;
    }
  }

  private static Optional<String> compareSizes(NativeFunctions functions) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      int expected = Layouts.ALL.size();
      MemorySegment sizes = arena.allocate(ValueLayout.JAVA_INT, expected);
      int found = (int) functions.structSizes().invokeExact(sizes, expected);
      if (found != expected) {
        return Optional.of("it has " + found + " structs, " + expected + " are expected");
      }
      for (int i = 0; i < expected; i++) {
        int size = sizes.getAtIndex(ValueLayout.JAVA_INT, i);
        long wanted = Layouts.ALL.get(i).byteSize();
        if (size != wanted) {
          String name = Layouts.ALL.get(i).name().orElseThrow();
          return Optional.of(name + " has " + size + " bytes, " + wanted + " are expected");
        }
      }
      return Optional.empty();
    }
  }

  private static FunctionDescriptor descriptor(NativeSignature signature) {
    MemoryLayout[] arguments = new MemoryLayout[signature.takes().length];
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = layout(signature.takes()[i]);
    }
    return FunctionDescriptor.of(layout(signature.returns()), arguments);
  }

  private static MemoryLayout layout(Class<?> type) {
    if (type == int.class) {
      return ValueLayout.JAVA_INT;
    }
    if (type == long.class) {
      return ValueLayout.JAVA_LONG;
    }
    if (type == double.class) {
      return ValueLayout.JAVA_DOUBLE;
    }
    return ValueLayout.ADDRESS;
  }

  private static String reason(Throwable failure) {
    return failure.getMessage() == null
        ? failure.toString()
        : failure.getMessage().lines().findFirst().orElse("");
  }
}
