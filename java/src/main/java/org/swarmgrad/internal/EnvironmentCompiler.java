// Makes a loadable library of one header with the system's C++ compiler, and keeps it in a cache
// whose key is everything that decides its code. Knows no rule of the contract and loads nothing.
//
// The compiled code runs with the user's own rights, as any program that they compile; nothing is
// fetched.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.swarmgrad.CompilationException;
import org.swarmgrad.EnvironmentSource;

/**
 * A compiler and a cache.
 *
 * @param cache folder of compiled environments, made if missing
 * @param cxx the compiler as the variable CXX names it, or null to look for one
 * @param path folders to look in, separated by ':'
 * @param checked whether every index that the environment uses is checked
 */
record EnvironmentCompiler(Path cache, String cxx, String path, boolean checked) {
  private static final String LIBRARY = "environment.so";
  private static final List<String> CANDIDATES = List.of("c++", "g++", "clang++");

  /** One file named by a line marker of the preprocessor: # LINE "FILE" FLAGS. */
  private static final Pattern MARKER = Pattern.compile("# \\d+ \"((?:[^\"\\\\]|\\\\.)*)\"(.*)");

  record Compiled(Path library, EnvironmentSource source) {}

  /**
   * The header as the compiler sees it, a file for every instruction set, and by which compiler.
   */
  private record Preprocessed(
      List<String> compiler, Path headers, Map<String, Path> units, EnvironmentSource source) {}

  /** The user's: variables CXX, PATH, SWARMGRAD_CACHE or XDG_CACHE_HOME, SWARMGRAD_CHECKS. */
  static EnvironmentCompiler standard() {
    Map<String, String> variables = System.getenv();
    String cache = variables.getOrDefault("SWARMGRAD_CACHE", "");
    String xdg = variables.getOrDefault("XDG_CACHE_HOME", "");
    Path folder =
        !cache.isEmpty()
            ? Path.of(cache)
            : xdg.startsWith("/")
                ? Path.of(xdg, "swarmgrad")
                : Path.of(System.getProperty("user.home"), ".cache", "swarmgrad");
    String cxx = variables.getOrDefault("CXX", "").strip();
    String checks = variables.getOrDefault("SWARMGRAD_CHECKS", "on");
    if (!checks.equals("on") && !checks.equals("off")) {
      throw new IllegalArgumentException(
          "SWARMGRAD_CHECKS is '" + checks + "'; allowed: on, off (indices unchecked)");
    }
    return new EnvironmentCompiler(
        folder.toAbsolutePath(),
        cxx.isEmpty() ? null : cxx,
        variables.getOrDefault("PATH", ""),
        checks.equals("on"));
  }

  /** The library of a header, from the cache or compiled now. */
  Compiled compile(Path header) {
    return libraries()
        .work(
            work -> {
              Preprocessed unit = preprocess(findCompiler(), header, work);
              Path library =
                  libraries().entry(key(unit), work, folder -> build(unit, header, folder));
              return new Compiled(library, unit.source);
            });
  }

  /** What the header consists of, without compiling it. */
  EnvironmentSource source(Path header) {
    return libraries().work(work -> preprocess(findCompiler(), header, work).source);
  }

  private BuildCache libraries() {
    return new BuildCache(cache.resolve("environments"), LIBRARY);
  }

  private Programs programs() {
    return new Programs(path);
  }

  // ---- the compiler ----------------------------------------------------------------------------

  /** The words of the compiler's command. */
  private List<String> findCompiler() {
    if (cxx != null) {
      List<String> words =
          Files.isRegularFile(Path.of(cxx)) ? List.of(cxx) : Arrays.asList(cxx.split("\\s+"));
      if (programs().find(words.get(0)) == null) {
        throw new CompilationException(
            "CXX is '" + cxx + "', which is no program; allowed: a C++20 compiler, or no CXX", "");
      }
      return words;
    }
    for (String candidate : CANDIDATES) {
      if (programs().find(candidate) != null) {
        return List.of(candidate);
      }
    }
    throw new CompilationException(
        "an environment in a header needs a C++20 compiler, and none was found (CXX, "
            + String.join(", ", CANDIDATES)
            + "); install one, for example with: apt-get install g++, dnf install gcc-c++, apk add"
            + " g++ or pacman -S gcc",
        "");
  }

  // ---- flags -----------------------------------------------------------------------------------

  private static List<String> instructionSets() {
    return Loader.getPlatform().endsWith("x86_64") ? List.of("avx2", "avx512") : List.of("neon");
  }

  /** The uses and flags that CMake reads as well. */
  static Map<String, List<String>> flags(Path headers) throws IOException {
    Map<String, List<String>> flags = new HashMap<>();
    for (String line : Files.readAllLines(headers.resolve("compile_flags.txt"))) {
      if (!line.startsWith("#")) {
        List<String> words = List.of(line.split(" "));
        flags.put(words.get(0), words.subList(1, words.size()));
      }
    }
    return flags;
  }

  private List<String> command(List<String> compiler, Path headers, String isa) throws IOException {
    Map<String, List<String>> flags = flags(headers);
    List<String> command = new ArrayList<>(compiler);
    command.addAll(flags.get("environment"));
    command.addAll(flags.get("exact"));
    command.addAll(flags.get(isa));
    return command;
  }

  /** What turns the header into the code of one instruction set; `more` says how far. */
  private List<String> fromHeader(
      List<String> compiler, Path headers, Path header, String isa, String... more)
      throws IOException {
    List<String> command = command(compiler, headers, isa);
    command.add("-DSWARMGRAD_TARGET=" + isa);
    command.add("-DSWARMGRAD_LANES_" + isa.toUpperCase(Locale.ROOT) + "=1");
    if (checked) {
      command.add("-DSWARMGRAD_CHECKED=1");
    }
    command.addAll(List.of("-isystem", headers.toString(), "-include", header.toString()));
    command.addAll(List.of(more));
    command.add(headers.resolve("host/user_environment.cpp").toString());
    return command;
  }

  // ---- from header to library ------------------------------------------------------------------

  private Preprocessed preprocess(List<String> compiler, Path header, Path work)
      throws IOException {
    Path headers = EngineHeaders.unpack(cache.resolve("headers"));
    Map<String, List<String>> commands = new LinkedHashMap<>();
    Map<String, Path> units = new LinkedHashMap<>();
    for (String isa : instructionSets()) {
      units.put(isa, work.resolve(isa + ".ii"));
      commands.put(
          isa, fromHeader(compiler, headers, header, isa, "-E", "-o", units.get(isa).toString()));
    }
    for (Programs.Result result : programs().runAll(commands).values()) {
      require(result.status() == 0, header, compiler, result.messages());
    }
    Set<Path> files = new LinkedHashSet<>(List.of(header));
    for (Path unit : units.values()) {
      addFiles(unit, headers, files);
    }
    List<Path> all = List.copyOf(files);
    EnvironmentSource source = new EnvironmentSource(header, Digests.sha256(all), all);
    return new Preprocessed(compiler, headers, units, source);
  }

  /** Files of the user: what no system folder holds, and no header of the engine. */
  private static void addFiles(Path unit, Path headers, Set<Path> files) throws IOException {
    String text = new String(Files.readAllBytes(unit), StandardCharsets.UTF_8);
    for (String line : text.lines().filter(each -> each.startsWith("# ")).toList()) {
      Matcher marker = MARKER.matcher(line);
      if (marker.matches() && !marker.group(1).startsWith("<") && !marker.group(2).contains(" 3")) {
        Path file = Path.of(marker.group(1).translateEscapes()).toAbsolutePath().normalize();
        if (!file.startsWith(headers) && Files.isRegularFile(file)) {
          files.add(file);
        }
      }
    }
  }

  private String key(Preprocessed unit) throws IOException {
    Digests digest =
        new Digests()
            .add(String.valueOf(NativeLibrary.ABI_VERSION))
            .add(programs().identity(unit.compiler));
    for (Map.Entry<String, Path> each : unit.units.entrySet()) {
      digest.add(String.join("\n", command(unit.compiler, unit.headers, each.getKey())));
      digest.add(Files.readAllBytes(each.getValue()));
    }
    return digest.finish();
  }

  /** Leaves the library in `work`. */
  private void build(Preprocessed unit, Path header, Path work) throws IOException {
    Map<String, List<String>> commands = new LinkedHashMap<>();
    // The narrowest instruction set comes first: of a function that both objects hold, the linker
    // keeps that one.
    List<String> link = new ArrayList<>(unit.compiler);
    link.addAll(List.of("-shared", "-o", work.resolve(LIBRARY).toString()));
    for (Map.Entry<String, Path> each : unit.units.entrySet()) {
      String object = work.resolve(each.getKey() + ".o").toString();
      List<String> command = command(unit.compiler, unit.headers, each.getKey());
      command.addAll(List.of("-c", each.getValue().toString(), "-o", object));
      commands.put(each.getKey(), command);
      link.add(object);
    }
    for (Map.Entry<String, Programs.Result> result : programs().runAll(commands).entrySet()) {
      if (result.getValue().status() != 0) {
        // Once more from the header itself: columns of preprocessed text are not the user's.
        Programs.Result again =
            programs()
                .run(
                    fromHeader(
                        unit.compiler, unit.headers, header, result.getKey(), "-fsyntax-only"));
        require(
            false,
            header,
            unit.compiler,
            again.status() == 0 ? result.getValue().messages() : again.messages());
      }
    }
    Programs.Result linked = programs().run(link);
    require(linked.status() == 0, header, unit.compiler, linked.messages());
    for (String isa : unit.units.keySet()) {
      Files.delete(work.resolve(isa + ".ii"));
      Files.delete(work.resolve(isa + ".o"));
    }
  }

  static void require(boolean success, Path header, List<String> compiler, String messages) {
    if (!success) {
      throw new CompilationException(
          header
              + " does not compile with "
              + String.join(" ", compiler)
              + "; the messages above name the lines",
          messages);
    }
  }
}
