// Loading the engine library: every way in which it fails gives a message that says what was found
// and what to do.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("restricted") // stands in for a library
class NativeLibraryTest {
  private static final NativeLibrary.Kind CPU = NativeLibrary.Kind.CPU;
  private static final String PLATFORM = Loader.getPlatform();

  @TempDir Path folder;

  private static String message(NativeLibrary.Result result) {
    assertThat(result).isInstanceOf(NativeLibrary.Failed.class);
    String message = ((NativeLibrary.Failed) result).message();
    assertThat(message).doesNotContain("\n").contains("-Dorg.swarmgrad.library");
    return message;
  }

  @Test
  void loadsTheLibraryOfThisBuild() {
    assertThat(NativeLibrary.cpuFailure()).isEmpty();
    assertThat(Path.of(NativeLibrary.cpu().path())).isRegularFile();
  }

  @Test
  void loadsAnInstalledLibraryByItsPath() {
    NativeLibrary.Result result = NativeLibrary.load(CPU, NativeLibrary.cpu().path(), PLATFORM);
    assertThat(result).isInstanceOf(NativeLibrary.Loaded.class);
  }

  @Test
  void anotherBuildOfTheSameSizeAndTimeIsUnpackedAgain() throws Exception {
    Path unpacked = Path.of(NativeLibrary.cpu().path());
    byte[] library = Files.readAllBytes(unpacked);
    byte[] stale = library.clone();
    stale[stale.length / 2] ^= 1;
    FileTime time = Files.getLastModifiedTime(unpacked);
    // Never written over in place: this process has it mapped.
    Files.delete(unpacked);
    Files.write(unpacked, stale);
    Files.setLastModifiedTime(unpacked, time);
    assertThat(NativeLibrary.load(CPU, null, PLATFORM)).isInstanceOf(NativeLibrary.Loaded.class);
    assertThat(Files.readAllBytes(unpacked)).isEqualTo(library);
  }

  @Test
  void aPathWithoutAFileIsNamed() {
    Path missing = folder.resolve("libmissing.so");
    assertThat(message(NativeLibrary.load(CPU, missing.toString(), PLATFORM)))
        .contains(missing + " names no file");
  }

  @Test
  void aFolderIsNoLibrary() {
    assertThat(message(NativeLibrary.load(CPU, folder.toString(), PLATFORM)))
        .contains(folder + " names no file");
  }

  @Test
  void aFileThatIsNoLibraryIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("libtext.so"), "not a library");
    assertThat(message(NativeLibrary.load(CPU, file.toString(), PLATFORM)))
        .contains(file + " cannot be loaded");
  }

  @Test
  void aTruncatedLibraryIsNamed() throws Exception {
    byte[] library = Files.readAllBytes(Path.of(NativeLibrary.cpu().path()));
    Path file = Files.write(folder.resolve("libhalf.so"), java.util.Arrays.copyOf(library, 1000));
    assertThat(message(NativeLibrary.load(CPU, file.toString(), PLATFORM)))
        .contains(file + " cannot be loaded");
  }

  @Test
  void aPlatformWithoutALibraryIsNamed() {
    assertThat(message(NativeLibrary.load(CPU, null, "plan9-pdp11")))
        .contains("plan9-pdp11/libswarmgrad_cpu.so")
        .contains("build it with ./swarmgrad");
  }

  @Test
  void withoutTheCudaLibraryTheArtifactIsNamed() {
    assertThat(message(NativeLibrary.load(NativeLibrary.Kind.CUDA, null, "plan9-pdp11")))
        .contains("no CUDA engine for this platform (plan9-pdp11/libswarmgrad_cuda.so)")
        .contains("classifier linux-x86_64-cuda")
        .contains("-Dorg.swarmgrad.library.cuda");
  }

  @Test
  void aLibraryWithoutOurFunctionsNamesSome() {
    SymbolLookup nothing = name -> Optional.empty();
    assertThat(message(NativeLibrary.link(CPU, nothing, "libother.so")))
        .contains("libother.so lacks swarmgrad_abi_version, ")
        .containsPattern(" and [0-9]+ more functions: it is another version, or no engine");
  }

  @Test
  void theCpuEngineIsNoCudaEngine() {
    String cpu = NativeLibrary.cpu().path();
    assertThat(message(NativeLibrary.load(NativeLibrary.Kind.CUDA, cpu, PLATFORM)))
        .startsWith(cpu + " is the CPU engine's library; add the artifact");
  }

  @Test
  void aFileThatMayNotBeReadIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("libsecret.so"), "not yours");
    Files.setPosixFilePermissions(file, Set.of());
    assumeFalse(Files.isReadable(file), "this user reads everything");
    assertThat(message(NativeLibrary.load(CPU, file.toString(), PLATFORM)))
        .contains(file + " cannot be loaded: this user may not read it");
  }

  @Test
  void anotherAbiVersionIsNamed() throws Exception {
    assertThat(message(NativeLibrary.link(CPU, allReturning(7), "libnewer.so")))
        .contains("libnewer.so has ABI version 7, this jar needs " + NativeLibrary.ABI_VERSION);
  }

  @Test
  void anotherNumberOfStructsIsNamed() throws Exception {
    assertThat(
            message(
                NativeLibrary.link(CPU, allReturning(NativeLibrary.ABI_VERSION), "libother.so")))
        .contains(
            "it has %d structs, %d are expected"
                .formatted(NativeLibrary.ABI_VERSION, Layouts.ALL.size()));
  }

  @Test
  void anotherStructSizeIsNamed() throws Exception {
    MethodHandle sizes =
        MethodHandles.lookup()
            .findStatic(
                NativeLibraryTest.class,
                "wrongSizes",
                MethodType.methodType(int.class, MemorySegment.class, int.class));
    MemorySegment upcall =
        Linker.nativeLinker()
            .upcallStub(
                sizes,
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                Arena.global());
    SymbolLookup all = allReturning(NativeLibrary.ABI_VERSION);
    SymbolLookup wrong =
        name -> name.equals("swarmgrad_struct_sizes") ? Optional.of(upcall) : all.find(name);
    assertThat(message(NativeLibrary.link(CPU, wrong, "libother.so")))
        .contains("swarmgrad_config has 999 bytes, " + Layouts.CONFIG.byteSize() + " are expected");
  }

  static int wrongSizes(MemorySegment sizes, int capacity) {
    MemorySegment array = sizes.reinterpret(4L * capacity);
    for (int i = 0; i < capacity; i++) {
      boolean config = Layouts.ALL.get(i) == Layouts.CONFIG;
      array.setAtIndex(ValueLayout.JAVA_INT, i, config ? 999 : (int) Layouts.ALL.get(i).byteSize());
    }
    return Layouts.ALL.size();
  }

  /** A library whose every function returns the same integer. */
  private static SymbolLookup allReturning(int value) {
    MethodHandle constant = MethodHandles.constant(int.class, value);
    MemorySegment upcall =
        Linker.nativeLinker()
            .upcallStub(constant, FunctionDescriptor.of(ValueLayout.JAVA_INT), Arena.global());
    return name -> Optional.of(upcall);
  }
}
