// What native calls have in common: the exception that stands for a status, and copies between Java
// arrays and memory; which library is called, NativeLibrary knows.
package org.swarmgrad.internal;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.swarmgrad.BusyException;
import org.swarmgrad.CancelledException;
import org.swarmgrad.EnvironmentException;
import org.swarmgrad.LibraryException;
import org.swarmgrad.NumericException;
import org.swarmgrad.SwarmgradException;

final class Calls {
  private Calls() {}

  /** A call that returns a swarmgrad_status. */
  interface StatusCall {
    int run() throws Throwable;
  }

  /** A call that returns a value and cannot fail. */
  interface ValueCall<T> {
    T run() throws Throwable;
  }

  static <T> T value(ValueCall<T> call) {
    try {
      return call.run();
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable failure) {
      throw new AssertionError("a native call threw " + failure, failure);
    }
  }

  /** The exception that stands for a status. */
  static RuntimeException failure(int status, String text) {
    String message =
        text == null || text.isEmpty() ? "the engine library returned status " + status : text;
    return switch (status) {
      case 1 -> new IllegalArgumentException(message);
      case 2 -> new LibraryException(message);
      case 4 -> new BusyException(message);
      case 5 -> new CancelledException(message, List.of());
      case 6 -> new NumericException(message);
      case 8 -> new EnvironmentException(message);
      default -> new SwarmgradException(message);
    };
  }

  // Copies between Java arrays and memory of an arena; a null array is a null pointer.

  static MemorySegment copy(Arena arena, float[] values) {
    return values == null ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
  }

  static MemorySegment copy(Arena arena, double[] values) {
    return values == null
        ? MemorySegment.NULL
        : arena.allocateFrom(ValueLayout.JAVA_DOUBLE, values);
  }

  static MemorySegment copy(Arena arena, int[] values) {
    return values == null ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_INT, values);
  }

  static MemorySegment copy(Arena arena, long[] values) {
    return values == null ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_LONG, values);
  }

  static MemorySegment copy(Arena arena, byte[] values) {
    return values == null ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_BYTE, values);
  }

  static MemorySegment floats(Arena arena, long count) {
    return arena.allocate(ValueLayout.JAVA_FLOAT, count);
  }

  static MemorySegment ints(Arena arena, long count) {
    return arena.allocate(ValueLayout.JAVA_INT, count);
  }

  static float[] toFloats(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_FLOAT);
  }

  static int[] toInts(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_INT);
  }

  static byte[] toBytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }
}
