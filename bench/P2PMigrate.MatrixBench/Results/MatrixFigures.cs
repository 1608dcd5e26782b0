using System.Text.Json;
using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench;

/// <summary>What is kept of a matrix: every attempt of every cell, and how it was made.</summary>
internal sealed record MatrixFigures(string Contender, string? Leg, IReadOnlyList<CellResult> Cells)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static MatrixFigures Read(string file) => JsonSerializer.Deserialize<MatrixFigures>(File.ReadAllText(file), s_json)!;

    /// <summary>With other cells added; those that are measured again are replaced.</summary>
    public MatrixFigures With(MatrixFigures newer)
    {
        if (newer.Contender != Contender || newer.Leg != Leg)
            throw new LabException($"figures of {Contender} ({Leg ?? "no leg"}) and of {newer.Contender} ({newer.Leg ?? "no leg"}) are no one matrix");
        return this with { Cells = [.. Cells.Where(cell => newer.Cells.All(other => other.Cell != cell.Cell)), .. newer.Cells] };
    }

    public void Write(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(name))!);
        File.WriteAllText(name + ".json", JsonSerializer.Serialize(this, s_json));
        File.WriteAllText(name + ".md", new MatrixTable(this).Markdown());
    }
}
