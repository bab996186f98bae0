/* A user's program: it knows the installed C ABI, loads an environment of its own and lists all. Not a doctest: it must build as plain C. */
#include <stdio.h>
#include <swarmgrad/swarmgrad.h>

int main(int argc, char **argv) {
  printf("swarmgrad %s\n", swarmgrad_version());
  if (swarmgrad_abi_version() != SWARMGRAD_ABI_VERSION) {
    fprintf(stderr, "header has ABI version %d, library %u\n", SWARMGRAD_ABI_VERSION,
            (unsigned)swarmgrad_abi_version());
    return 1;
  }
  int32_t loaded = -1;
  if (argc > 1 && swarmgrad_load_environment(argv[1], &loaded) != SWARMGRAD_OK) {
    fprintf(stderr, "%s\n", swarmgrad_last_error());
    return 1;
  }
  for (int32_t index = 0; index < swarmgrad_environment_count(); ++index) {
    swarmgrad_environment_info info = {.size = sizeof info};
    if (swarmgrad_environment(index, &info) != SWARMGRAD_OK) {
      fprintf(stderr, "environment %d: %s\n", (int)index, swarmgrad_last_error());
      return 1;
    }
    printf("%s: %s\n", info.id, info.summary);
  }
  return swarmgrad_environment_count() > 0 ? 0 : 1;
}
