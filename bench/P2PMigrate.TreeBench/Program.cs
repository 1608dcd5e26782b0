using P2PMigrate.TreeBench;

// What a root file system of a hundred thousand files costs: its parts one by one, and the pass under freeze beside rsync.
//   dotnet run -c Release --project bench/P2PMigrate.TreeBench parts|rsync
using var ground = new BenchTree();
switch (args)
{
    case ["parts"]:
        TreeParts.Run(ground);
        break;
    case ["rsync"]:
        RsyncComparison.Run(ground);
        break;
    default:
        Console.Error.WriteLine("Type parts or rsync.");
        return 2;
}

return 0;
