using P2PMigrate.Agent.Places;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>The examples in AWS's description of Signature Version 4 for S3.</summary>
[Trait("Spec", "DEP-41")]
public sealed class S3SignatureTests
{
    private static readonly S3Credentials s_example = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null);
    private static readonly DateTimeOffset s_then = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_part_of_an_object_is_asked_for() =>
        Assert.Equal("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", SignatureOf("/test.txt", request => request.Headers.TryAddWithoutValidation("Range", "bytes=0-9")));

    [Fact]
    public void A_list_is_asked_for() =>
        Assert.Equal("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", SignatureOf("/?" + S3Signature.Query(("prefix", "J"), ("max-keys", "2"))));

    [Fact]
    public void What_is_secret_is_in_no_header()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1/b/k");
        S3Signature.Sign(request, [], s_example with { SessionToken = "lent" }, "us-east-1", s_then);
        Assert.DoesNotContain(s_example.SecretKey, request.ToString());
        Assert.Contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,", request.ToString());
    }

    private static string SignatureOf(string path, Action<HttpRequestMessage>? change = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "https://examplebucket.s3.amazonaws.com" + path);
        change?.Invoke(request);
        S3Signature.Sign(request, [], s_example, "us-east-1", s_then);
        return request.Headers.GetValues("Authorization").Single().Split("Signature=")[1];
    }
}
