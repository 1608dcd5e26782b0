using System.Runtime.InteropServices;

namespace P2PMigrate.Snapshot.Native;

/// <summary>How a file is opened. Two of the numbers differ between architectures.</summary>
internal static class OpenFlags
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int NoAccessTime = 0x4_0000;
    public const int CloseOnExec = 0x8_0000;
    public const int PathOnly = 0x20_0000;

    public static readonly int Directory = IsArm ? 0x4000 : 0x1_0000;
    public static readonly int Nameless = 0x40_0000 | Directory;
    public static readonly int NoFollow = IsArm ? 0x8000 : 0x2_0000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
}

/// <summary>How openat2 walks a path.</summary>
[Flags]
internal enum ResolveFlags : ulong
{
    NoCrossDevice = 1,
    NoMagicLinks = 2,
    NoSymlinks = 4,
    Beneath = 8,
}
