// Code of users' environments for the CUDA engine's device, from a cache or compiled now; what it
// computes is the same header's business as on the CPU.
package org.swarmgrad.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.swarmgrad.CompilationException;
import org.swarmgrad.EnvironmentSource;

/**
 * A cache and a compiler.
 *
 * @param cache folder of compiled environments, made if missing
 * @param compiler of what the cache lacks
 */
record DeviceCode(Path cache, DeviceCompiler compiler) {
  private static final String FILE = "environment.ptx";

  /** The user's: the cache of the host's compiler, and CUDA_PATH. */
  static DeviceCode standard() {
    EnvironmentCompiler host = EnvironmentCompiler.standard();
    Map<String, String> variables = System.getenv();
    return new DeviceCode(
        host.cache(),
        DeviceCompiler.standard(
            new Programs(host.path()), variables.getOrDefault("CUDA_PATH", "").strip()));
  }

  /** The code of a header that is still what it was when it was compiled for the host. */
  byte[] of(EnvironmentSource source) {
    BuildCache entries = new BuildCache(cache.resolve("environments"), FILE);
    return entries.work(
        work -> {
          Path headers = EngineHeaders.unpack(cache.resolve("headers"));
          if (!Digests.sha256(source.files()).equals(source.sha256())) {
            throw new CompilationException(
                source.file()
                    + " has changed since it was loaded; allowed: one content as long as the"
                    + " process lives",
                "");
          }
          Path code =
              entries.entry(
                  key(source, headers),
                  work,
                  folder -> compiler.compile(headers, source.file(), folder.resolve(FILE)));
          return Files.readAllBytes(code);
        });
  }

  private String key(EnvironmentSource source, Path headers) throws IOException {
    return new Digests()
        .add(String.valueOf(NativeLibrary.ABI_VERSION))
        .add(compiler.identity())
        .add(String.join("\n", DeviceCompiler.options(headers)))
        .add(EngineHeaders.sha256(headers))
        .add(source.sha256())
        .finish();
  }
}
