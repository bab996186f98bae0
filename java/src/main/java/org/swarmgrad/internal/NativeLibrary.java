// Finds, loads and checks the engine library, once; a failure is a value with a message, so that it
// can be tested and shown.
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

@SuppressWarnings("restricted") // loading native code is what this class is for
public final class NativeLibrary {
  /**
   * System property: path of an installed engine library to use in place of the one inside the jar.
   */
  public static final String PATH_PROPERTY = "org.swarmgrad.library";

  static final int ABI_VERSION = 3;

  /** Outcome of loading: either functions, or a message that says what was found and what to do. */
  sealed interface Result permits Loaded, Failed {}

  record Loaded(NativeFunctions functions, String path) implements Result {}

  record Failed(String message) implements Result {}

  private static final String REMEDY =
      "; build it with ./swarmgrad, or set -D"
          + PATH_PROPERTY
          + " to the path of an installed library";

  private static final int ELF_MAGIC = 0x464C457F;
  private static final int ELF_HEADER_BYTES = 64;

  private static final Result RESULT =
      load(System.getProperty(PATH_PROPERTY), Loader.getPlatform());

  /**
   * Null where loading failed; a constant to the compiler, so that calls through it cost nothing
   * extra.
   */
  static final NativeFunctions FUNCTIONS =
      RESULT instanceof Loaded loaded ? loaded.functions() : null;

  private NativeLibrary() {}

  /**
   * Why the library could not be loaded, empty where it was.
   *
   * @return the message
   */
  public static Optional<String> failure() {
    return RESULT instanceof Failed failed ? Optional.of(failed.message()) : Optional.empty();
  }

  /**
   * File of the loaded library.
   *
   * @return its path
   */
  public static String path() {
    require();
    return ((Loaded) RESULT).path();
  }

  /** Throws LibraryException where the library could not be loaded. */
  static void require() {
    if (RESULT instanceof Failed failed) {
      throw new LibraryException(failed.message());
    }
  }

  /** Loads from `path`, or, where it is null, from the class path for `platform`. */
  static Result load(String path, String platform) {
    if (path != null) {
      Path file = Path.of(path);
      if (!Files.isRegularFile(file)) {
        return new Failed("-D" + PATH_PROPERTY + "=" + path + " names no file" + REMEDY);
      }
      return link(file.toAbsolutePath());
    }
    String resource = platform + "/libswarmgrad_cpu.so";
    try {
      File file = Loader.cacheResource(NativeLibrary.class, "/" + resource);
      if (file == null) {
        return new Failed(
            "the class path holds no engine library for this platform (" + resource + ")" + REMEDY);
      }
      // To JavaCPP a cached file of the same size and time is the same file. But the jar's times
      // are
      // fixed, and linkers round sizes up: another build would go unnoticed.
      if (!isCopy(file.toPath(), "/" + resource)) {
        Files.deleteIfExists(file.toPath()); // another process may have done it
        file = Loader.cacheResource(NativeLibrary.class, "/" + resource);
      }
      return link(file.toPath().toAbsolutePath());
    } catch (IOException | RuntimeException failure) {
      return new Failed(
          "the engine library " + resource + " cannot be unpacked: " + reason(failure) + REMEDY);
    }
  }

  private static boolean isCopy(Path file, String resource) throws IOException {
    try (InputStream original = NativeLibrary.class.getResourceAsStream(resource)) {
      return Arrays.equals(original.readAllBytes(), Files.readAllBytes(file));
    }
  }

  private static Result link(Path file) {
    try {
      Optional<String> damage = damage(file);
      if (damage.isPresent()) {
        return new Failed(
            "the engine library " + file + " cannot be loaded: " + damage.get() + REMEDY);
      }
      return link(SymbolLookup.libraryLookup(file, Arena.global()), file.toString());
    } catch (IOException | IllegalArgumentException failure) {
      return new Failed(
          "the engine library " + file + " cannot be loaded: " + reason(failure) + REMEDY);
    } catch (IllegalCallerException failure) {
      return new Failed(
          "Java may not load the engine library: "
              + reason(failure)
              + "; start Java with --enable-native-access=ALL-UNNAMED");
    }
  }

  /**
   * What is wrong with a file that the system's loader would crash on: one cut short kills the
   * process in dlopen.
   */
  static Optional<String> damage(Path file) throws IOException {
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
  static Result link(SymbolLookup symbols, String path) {
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
          "the engine library "
              + path
              + " lacks "
              + String.join(", ", missing)
              + ": it is another version"
              + REMEDY);
    }
    try {
      NativeFunctions functions =
          NativeFunctions.class.getDeclaredConstructor(types).newInstance(handles);
      int version = (int) functions.abiVersion().invokeExact();
      if (version != ABI_VERSION) {
        return new Failed(
            "the engine library "
                + path
                + " has ABI version "
                + version
                + ", this jar needs "
                + ABI_VERSION
                + REMEDY);
      }
      Optional<String> difference = compareSizes(functions);
      if (difference.isPresent()) {
        return new Failed(
            "the engine library " + path + " does not fit this jar: " + difference.get() + REMEDY);
      }
      return new Loaded(functions, path);
    } catch (Throwable failure) {
      throw new AssertionError("the binding of " + path + " failed", failure);
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
