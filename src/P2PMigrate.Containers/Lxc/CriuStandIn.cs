using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Lxc;

/// <summary>
/// A script that LXC runs in CRIU's place, because it takes no options for it. It hands a restore on to CRIU with what LXC gets wrong put right: the cgroup's root named for cgroup v2, no
/// AppArmor profile where the kernel has no AppArmor, mounts' sources without symbolic links, which CRIU does not follow; and with our configuration, work directory and mark.
/// </summary>
internal static class CriuStandIn
{
    /// <summary>Writes it and returns the directory that must be the first on PATH.</summary>
    public static string Write(string workDirectory, string criu, string configurationPath)
    {
        string directory = Directory.CreateDirectory(Path.Combine(workDirectory, "bin")).FullName;
        string program = HookFifo.Quote(Tool.PathOf(criu));
        HookFifo.WriteScript(Path.Combine(directory, "criu"), $$"""
            #!/bin/sh
            [ "$1" = restore ] || exec {{program}} "$@"
            left=$#
            while [ "$left" -gt 0 ]; do
                word=$1
                shift
                left=$((left - 1))
                case $word in
                --cgroup-root | --ext-mount-map | --lsm-profile | --external) ;;
                *) set -- "$@" "$word"; continue ;;
                esac
                value=$1
                shift
                left=$((left - 1))
                case $word:$value in
                --cgroup-root:*) value=${value#*:}; value=:/${value#/} ;;
                --ext-mount-map:*:/*) [ ! -e "${value#*:}" ] || value=${value%%:*}:$(readlink -f "${value#*:}") ;;
                --lsm-profile:apparmor:* | --external:apparmor:*) [ -d /sys/kernel/security/apparmor ] || continue ;;
                esac
                set -- "$@" "$word" "$value"
            done
            cd {{HookFifo.Quote(workDirectory)}}
            {{OwnedProcesses.Variable}}={{HookFifo.Quote(workDirectory)}} {{Criu.CriuConfiguration.Variable}}={{HookFifo.Quote(configurationPath)}} \
                exec {{program}} "$@" --work-dir {{HookFifo.Quote(workDirectory)}} --log-file restore.log -v4

            """);
        return directory;
    }
}
