namespace P2PMigrate.Containers.Checks;

/// <summary>
/// Which of the features in /proc/cpuinfo are instructions, or states saved with a process, that a program may have chosen its code by when it started; such a program dies on a
/// CPU without them. The others (mitigations, virtualisation, power, hints that do nothing elsewhere, what only kernels use) matter to nobody inside. The lists are those of Linux' cpufeatures.h (x86) and hwcap (arm64).
/// </summary>
internal static class CpuInstructions
{
    private static readonly string[] s_families = ["sse", "avx", "amx_", "movdir", "sha", "sm3", "sm4", "asimd", "sve", "sme2", "smef", "smei", "atomics", "crc32", "dcp", "lrcpc", "ilrcpc"];

    private static readonly HashSet<string> s_others =
    [
        "ssse3", "pni", "mmx", "mmxext", "fxsr", "cmov", "cx8", "cx16", "popcnt", "abm", "lzcnt", "bmi1", "bmi2", "xsave", "xsaveopt", "xsavec", "fma", "fma4", "f16c", "adx", "aes", "vaes", "pclmulqdq", "vpclmulqdq",
        "gfni", "movbe", "rdrand", "rdseed", "rdpid", "rdtscp", "fsgsbase", "rtm", "clflush", "clflushopt", "clwb", "serialize", "tbm", "xop", "lahf_lm", "3dnow",
        "3dnowext", "pku", "ospke", "waitpkg", "uintr", "enqcmd", "cmpccxadd", "raoint", "fp", "pmull", "fphp", "jscvt", "fcma", "paca", "pacg",
        "mte", "flagm", "flagm2", "frint", "bf16", "i8mm", "rng", "ssbs", "sb", "wfxt", "mops", "hbc", "cssc", "lse128", "uscat", "gcs", "clzero", "rdpru", "mwaitx", "tsxldtrk", "user_shstk",
    ];

    /// <summary>Is a feature of this name one of them?</summary>
    public static bool Includes(string feature) => s_others.Contains(feature) || s_families.Any(family => feature.StartsWith(family, StringComparison.Ordinal));
}
